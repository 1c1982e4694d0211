"""Logs of the running agent: one line an event, for people or for programs.

They never hold a token, and addresses only at debug level.
"""

import json as json_text
import logging
import sys
import time


def set_up_logs(*, debug: bool, json: bool) -> None:
    """Write logs to standard error; with `json` one object a line."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_JsonLines() if json else _Words())
    log = logging.getLogger("fwid")
    log.handlers = [handler]
    log.setLevel(logging.DEBUG if debug else logging.INFO)
    log.propagate = False


class _Words(logging.Formatter):
    """2026-11-24T13:48:10.538Z level=INFO capturing interface=eth0."""

    converter = time.gmtime

    def __init__(self) -> None:
        super().__init__(
            "%(asctime)s.%(msecs)03dZ level=%(levelname)s %(message)s", "%Y-%m-%dT%H:%M:%S"
        )


class _JsonLines(logging.Formatter):
    converter = time.gmtime

    def format(self, record: logging.LogRecord) -> str:
        words, pairs = [], {}
        for word in record.getMessage().split():
            name, mark, value = word.partition("=")
            if mark and name.isidentifier():
                pairs[name] = value
            else:
                words.append(word)
        stamp = self.formatTime(record, "%Y-%m-%dT%H:%M:%S")
        line = {
            "time": f"{stamp}.{int(record.msecs):03d}Z",
            "level": record.levelname.lower(),
            "message": " ".join(words),
        }
        return json_text.dumps(line | pairs)
