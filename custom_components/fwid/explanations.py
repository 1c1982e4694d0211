"""What a person reads of an error between here and the agent."""

from collections.abc import Mapping
from typing import TypedDict

from .const import DOMAIN
from .errors import (
    AgentError,
    AnswerError,
    CertificateError,
    RefusedError,
    TokenError,
    UnfitError,
    UnreachableError,
)

KEYS: Mapping[type[AgentError], str] = {
    AnswerError: "strange_answer",
    CertificateError: "certificate_changed",
    RefusedError: "refused",
    TokenError: "token_refused",
    UnreachableError: "unreachable",
}


class Explanation(TypedDict):
    """What Home Assistant's exceptions take for their text."""

    translation_domain: str
    translation_key: str
    translation_placeholders: dict[str, str]


def explain(error: AgentError) -> Explanation:
    """Return what to tell a person; the address stays in the log at debug level."""
    key, placeholders = KEYS.get(type(error), "unreachable"), {}
    if isinstance(error, RefusedError):
        placeholders = {"reason": str(error)}
    elif isinstance(error, UnfitError):
        key, placeholders = error.key, error.placeholders
    return {
        "translation_domain": DOMAIN,
        "translation_key": key,
        "translation_placeholders": placeholders,
    }
