"""What can go wrong between here and the agent."""

from collections.abc import Mapping


class AgentError(Exception):
    """Anything that keeps the agent from doing what it is asked."""


class UnreachableError(AgentError):
    """The agent does not answer."""


class CertificateError(AgentError):
    """Somebody answers with another certificate than the pinned one; nothing was sent."""


class TokenError(AgentError):
    """The agent does not know our token."""


class RefusedError(AgentError):
    """The agent refuses, and says why in one line."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(text)
        self.status = status


class AnswerError(AgentError):
    """The answer is none that an agent gives."""


class UnfitError(AgentError):
    """An agent answers that is not to be followed: of another version, or another one."""

    def __init__(self, key: str, placeholders: Mapping[str, str] | None = None) -> None:
        super().__init__(key)
        self.key = key  # its translation
        self.placeholders = dict(placeholders or {})
