"""The login of a FRITZ!Box: what it says of a session, and the answer to its challenge; no I/O.

Described by AVM's technical note "Login procedure and session IDs in the FRITZ!Box web interface":
PBKDF2 since FRITZ!OS 7.24, MD5 before. The password itself is never sent.
"""

import hashlib
import re
from dataclasses import dataclass
from html import unescape

from fwid_agent.errors import CaptureError

NO_SESSION = "0" * 16
_MOST_ROUNDS = 1_000_000  # boxes ask for some 60 000; more would only keep us busy
_CHALLENGE = re.compile(
    r"2\$(\d{1,7})\$((?:[0-9A-Fa-f]{2}){1,64})\$(\d{1,7})\$((?:[0-9A-Fa-f]{2}){1,64})"
)
_OLD_CHALLENGE = re.compile(r"[0-9A-Za-z]{1,64}")


@dataclass(frozen=True, slots=True)
class SessionInfo:
    """What login_sid.lua says."""

    sid: str  # NO_SESSION where nobody is logged in
    challenge: str
    block_s: int  # for how long no answer is taken, after wrong ones
    user: str  # who has logged in last; "" where the box names nobody


def read_session(text: str) -> SessionInfo:
    """Read the answer of login_sid.lua; raises CaptureError where it is none."""
    sid = re.search(r"<SID>([0-9A-Fa-f]{16})</SID>", text)
    if sid is None:
        raise CaptureError("answers like no FRITZ!Box; is the address right?")
    challenge = re.search(r"<Challenge>([^<]{1,300})</Challenge>", text)
    block_s = re.search(r"<BlockTime>([0-9]{1,6})</BlockTime>", text)
    user = re.search(r'<User last="1">([^<]{1,200})</User>', text)
    return SessionInfo(
        sid[1],
        challenge[1] if challenge else "",
        int(block_s[1]) if block_s else 0,
        unescape(user[1]) if user else "",
    )


def answer(challenge: str, password: str) -> str:
    """Answer a challenge; raises CaptureError where it is none."""
    new = _CHALLENGE.fullmatch(challenge)
    if new is not None:
        rounds, salt = (int(new[1]), int(new[3])), (bytes.fromhex(new[2]), bytes.fromhex(new[4]))
        if not all(0 < count <= _MOST_ROUNDS for count in rounds):
            raise CaptureError(f"asks for a login of {max(rounds)} rounds, which cannot be")
        first = hashlib.pbkdf2_hmac("sha256", password.encode(), salt[0], rounds[0])
        return f"{new[4]}${hashlib.pbkdf2_hmac('sha256', first, salt[1], rounds[1]).hex()}"
    if _OLD_CHALLENGE.fullmatch(challenge):
        # What does not fit into one byte is a point there.
        text = "".join(letter if ord(letter) < 256 else "." for letter in password)
        digest = hashlib.md5(f"{challenge}-{text}".encode("utf-16-le"), usedforsecurity=False)
        return f"{challenge}-{digest.hexdigest()}"
    raise CaptureError("asks for a login of a kind that is not known; update fwid-agent")
