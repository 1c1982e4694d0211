"""What stands around `fwid run` in a container: choices, the folder, the health check."""

import json
import socket
import threading
from pathlib import Path

import pytest
from fwid_agent.config import parse_config
from fwid_agent.errors import StoreError, UsageError
from fwid_agent.service.container import (
    adopt,
    copy_of,
    find_interface,
    is_healthy,
    keep_password,
    read_options,
)
from fwid_agent.store import Store

HEAD = "Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT\n"


def route(interface: str, metric: int, target: str = "00000000", mask: str = "00000000") -> str:
    return f"{interface}\t{target}\t0101A8C0\t0003\t0\t0\t{metric}\t{mask}\t0\t0\t0\n"


def test_the_interface_that_leads_out_is_watched() -> None:
    """The one whose metric is least, as the kernel chooses; a route to a network is none."""
    home = route("end0", 0, "0001A8C0", "00FFFFFF")
    assert find_interface(HEAD + home + route("wlan0", 600) + route("end0", 100)) == "end0"


@pytest.mark.parametrize("routes", ["", HEAD, HEAD + route("end0", 0, "0001A8C0", "00FFFFFF")])
def test_where_none_leads_out_one_has_to_be_named(routes: str) -> None:
    """The line says where."""
    with pytest.raises(UsageError, match="`sources`"):
        find_interface(routes)


def test_this_machines_own_table_is_understood() -> None:
    """Whatever the kernel writes today."""
    table = Path("/proc/net/route").read_text("ascii")
    try:
        assert find_interface(table) in {path.name for path in Path("/sys/class/net").iterdir()}
    except UsageError:
        assert "\t00000000\t" not in table


def test_options_are_those_of_home_assistant(tmp_path: Path) -> None:
    """A JSON object; anything else is told in one line that names the file."""
    path = tmp_path / "options.json"
    with pytest.raises(UsageError, match=r"options\.json"):
        read_options(path)
    for text in ("{", "[]", '"sources"'):
        path.write_text(text)
        with pytest.raises(UsageError, match=r"options\.json"):
            read_options(path)
    path.write_text(json.dumps({"sources": ["end0"]}))
    assert read_options(path) == {"sources": ["end0"]}


def test_a_password_lies_in_a_file_of_the_agents_own(tmp_path: Path) -> None:
    """The configuration beside it can be read by more than the agent."""
    store = tmp_path / "fwid" / "fwid.db"
    options = {"fritzbox_password": "secret", "fritzbox_user": "me"}
    keep_password(options, store)
    file = Path(options["fritzbox_password_file"])
    assert file.read_text() == "secret"
    assert file.stat().st_mode & 0o777 == 0o600
    assert "secret" not in options.values()
    parse_config(options)


def _make(store: Path) -> str:
    with Store.open(store) as made:
        return str(made.agent)


def test_a_copy_becomes_the_store_where_there_is_none(tmp_path: Path) -> None:
    """That is what a restored backup looks like."""
    store = tmp_path / "fwid" / "fwid.db"
    agent = _make(store)
    store.rename(copy_of(store))
    adopt(store, "root")
    assert _make(store) == agent
    assert not copy_of(store).exists()


def test_a_copy_beside_a_store_is_left_over(tmp_path: Path) -> None:
    """From a backup that was broken off: the store is newer."""
    store = tmp_path / "fwid" / "fwid.db"
    agent = _make(store)
    copy_of(store).write_bytes(b"half a copy")
    adopt(store, "root")
    assert _make(store) == agent
    assert not copy_of(store).exists()


def test_a_damaged_copy_is_told_and_kept(tmp_path: Path) -> None:
    """Starting afresh instead would lose what a person believes to have saved."""
    store = tmp_path / "fwid" / "fwid.db"
    store.parent.mkdir()
    copy_of(store).write_bytes(b"no store at all")
    with pytest.raises(StoreError):
        adopt(store, "root")
    assert copy_of(store).exists()


def test_nobody_who_answers_is_unhealthy() -> None:
    """Not listening, or not speaking TLS."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]

        def answer() -> None:
            connection, _ = server.accept()
            with connection:
                connection.sendall(b"HTTP/1.0 200 OK\r\n\r\n")

        thread = threading.Thread(target=answer)
        thread.start()
        assert not is_healthy(port)
        thread.join()
    assert not is_healthy(port)
