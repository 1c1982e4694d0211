"""`fwid pair` and `fwid tokens`: who may ask the running agent."""

from typing import Annotated, Any

import typer

from fwid_agent.cli.options import Json, Store, store_path
from fwid_agent.cli.output import make_table, out, plain, print_json, say
from fwid_agent.errors import AgentUnreachableError
from fwid_agent.service.local import ask_agent


def pair(store: Store = None, json: Json = False) -> None:
    """Show a code with which a program, such as Home Assistant, is let in once.

    Examples:

      fwid pair

      fwid pair --json

    """
    answer = _ask(store, {"do": "pair"})
    if json:
        print_json(answer)
        return
    code, fingerprint = answer["code"], answer["fingerprint"]
    say(f"code:        {code[:4]} {code[4:]}  (for ten minutes, once)")
    say(f"fingerprint: {fingerprint}")


def tokens(
    revoke: Annotated[
        str | None, typer.Option(metavar="ID", help="Shut out whoever has this token, at once.")
    ] = None,
    store: Store = None,
    json: Json = False,
) -> None:
    """List who has been let in, or shut one of them out.

    Examples:

      fwid tokens

      fwid tokens --revoke 3f9a

    """
    if revoke is not None:
        _ask(store, {"do": "revoke", "id": revoke})
    listed = _ask(store, {"do": "tokens"})["tokens"]
    if json:
        print_json({"tokens": listed})
        return
    table = make_table("id", "name", "created", "last used")
    for one in listed:
        created, used = one["created"][:10], one["last_used"] or "never"
        table.add_row(one["id"], plain(one["name"]), created, used)
    out.print(table)


def _ask(store: str | None, request: dict[str, Any]) -> dict[str, Any]:
    path = store_path(store).absolute()
    answer = ask_agent(path, request)
    if answer is None:
        raise AgentUnreachableError(f"{path}: no agent runs on this store; start `fwid run`")
    return answer
