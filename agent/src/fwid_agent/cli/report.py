"""`fwid report`: a page of figures from the store."""

from fwid_agent.cli.options import Store


def report(store: Store = None) -> None:
    """Later."""
