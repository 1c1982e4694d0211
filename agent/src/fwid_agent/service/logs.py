"""Logs of the running agent: one line an event, for people or for programs.

They never hold a token, and addresses only at debug level.
"""

import json as json_text
import logging
import sys
import time
from hashlib import sha256
from uuid import UUID


def set_up_logs(*, debug: bool, json: bool) -> None:
    """Write logs to standard error; with `json` one object a line."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_JsonLines() if json else _Words())
    log = logging.getLogger("fwid")
    log.handlers = [handler]
    log.setLevel(logging.DEBUG if debug else logging.INFO)
    log.propagate = False


def name_device(agent: UUID, mac: int) -> str:
    """Return what a device is called in the logs of an agent: always the same, and no address."""
    return sha256(agent.bytes + mac.to_bytes(6, "big")).hexdigest()[:8]


def _stamp(record: logging.LogRecord) -> str:
    seconds = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created))
    return f"{seconds}.{int(record.msecs):03d}Z"


class _Words(logging.Formatter):
    """2026-11-24T13:48:10.538Z level=INFO capturing source=eth0."""

    def format(self, record: logging.LogRecord) -> str:
        return f"{_stamp(record)} level={record.levelname} {record.getMessage()}"


class _JsonLines(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        words, pairs = [], {}
        for word in record.getMessage().split():
            name, mark, value = word.partition("=")
            if mark and name.isidentifier():
                pairs[name] = value
            else:
                words.append(word)
        line = {
            "time": _stamp(record),
            "level": record.levelname.lower(),
            "message": " ".join(words),
        }
        return json_text.dumps(line | pairs)
