"""The agent in a container: what an image needs around `fwid run`.

python -m fwid_agent.service.container app | health | before-backup | after-backup

Home Assistant starts an app as root, with a person's choices in options.json of its data folder,
and copies that folder while the app runs. A store that is being written to must not be copied like
that: a copy is made before, and the store itself left out (`backup_exclude` in app/config.yaml).
"""

import argparse
import http.client
import os
import ssl
import sys
from pathlib import Path
from typing import Any

import msgspec

from fwid_agent.api.files import write_private
from fwid_agent.config import default_store_path
from fwid_agent.errors import FwidError, UsageError
from fwid_agent.service.privileges import find_user
from fwid_agent.store.backup import back_up, restore

USER = "fwid"
_PORT = 8127
_PATIENCE_S = 5
_ROUTES = Path("/proc/net/route")


def main() -> None:
    """Do what the image or the Supervisor asks for."""
    parser = argparse.ArgumentParser()
    parser.add_argument("do", choices=["app", "health", "before-backup", "after-backup"])
    parser.add_argument("--user", default=USER)
    arguments = parser.parse_args()
    store = default_store_path()
    try:
        if arguments.do == "app":
            _run_app(store, arguments.user)
        elif arguments.do == "health":
            sys.exit(not is_healthy(_PORT))
        elif arguments.do == "before-backup":
            copy_of(store).unlink(missing_ok=True)
            back_up(store, copy_of(store))
        else:
            copy_of(store).unlink(missing_ok=True)
    except FwidError as error:
        print(f"fwid: {error}", file=sys.stderr)
        sys.exit(error.exit_code)


def copy_of(store: Path) -> Path:
    """Where the copy of a store lies that goes into a backup."""
    return store.with_name("backup.db")


def _run_app(store: Path, user: str) -> None:
    """Prepare the app's data folder and become `fwid run`; does not return."""
    options = read_options(store.parent.parent / "options.json")
    sources = options.pop("sources", None) or [find_interface(_ROUTES.read_text("ascii"))]
    keep_password(options, store)
    adopt(store, user)
    config = store.parent.with_suffix(".json")
    config.write_bytes(msgspec.json.encode(options))
    command = [sys.executable, "-m", "fwid_agent.cli.main", "run", *sources]
    command += ["--store", str(store), "--config", str(config), "--user", user]
    os.execv(sys.executable, command)  # noqa: S606 - it is this program


def read_options(path: Path) -> dict[str, Any]:
    """Read what a person chose in Home Assistant; its Supervisor has checked it."""
    try:
        options = msgspec.json.decode(path.read_bytes(), type=dict[str, Any])
    except (OSError, msgspec.DecodeError) as error:
        raise UsageError(f"{path}: no options of a Home Assistant app ({error})") from error
    return options


def keep_password(options: dict[str, Any], store: Path) -> None:
    """Put a FRITZ!Box's password into a file of the agent's own, and name that in the options."""
    password = options.pop("fritzbox_password", None)
    if password:
        store.parent.mkdir(mode=0o700, exist_ok=True)
        path = store.with_name("fritzbox.password")
        write_private(path, str(password).encode())
        options["fritzbox_password_file"] = str(path)


def find_interface(routes: str) -> str:
    """Find the interface that leads out of the home in the kernel's table, /proc/net/route.

    Raises:
        UsageError: none does.

    """
    rows = [line.split() for line in routes.splitlines()[1:]]
    out = [(int(row[6]), row[0]) for row in rows if row[1] == row[7] == "00000000"]
    if not out:
        raise UsageError("no interface leads out of the home: name one in the app's `sources`")
    return min(out)[1]


def adopt(store: Path, user: str) -> None:
    """Give the store's folder to its user, as restoring a backup as root does not.

    Where a backup was restored there is a copy in place of the store; it becomes the store.
    """
    copy = copy_of(store)
    store.parent.mkdir(mode=0o700, exist_ok=True)
    if copy.exists() and not store.exists():
        restore(copy, store)
    copy.unlink(missing_ok=True)
    for path in (store.parent, *store.parent.iterdir()):
        os.chown(path, *find_user(user), follow_symlinks=False)


def is_healthy(port: int) -> bool:
    """Ask the agent in this container whether it answers."""
    # Nothing secret is said or heard, so it does not matter whose certificate it is.
    context = ssl._create_unverified_context()  # noqa: S323
    connection = http.client.HTTPSConnection(
        "127.0.0.1", port, timeout=_PATIENCE_S, context=context
    )
    try:
        connection.request("GET", "/api/v1/health")
        return connection.getresponse().status == http.HTTPStatus.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


if __name__ == "__main__":
    main()
