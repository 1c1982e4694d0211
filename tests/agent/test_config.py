"""Settings: every key is documented, and every mistake is told with the file and the key."""

import json
import os
import re
import tomllib
from dataclasses import fields
from pathlib import Path

import pytest
from fwid_agent import config
from fwid_agent.config import (
    SERVICE_STORE,
    Config,
    default_config_path,
    default_store_path,
    load_config,
    parse_config,
)
from fwid_agent.errors import UsageError

DOCUMENT = Path(__file__).parents[2] / "docs" / "configuration.md"


def test_every_key_is_documented_with_its_default() -> None:
    """The table of docs/configuration.md is complete, and says nothing that is not so."""
    table = re.findall(r"^\| `(\w+)` \| (\S+) \| \S.* \|$", DOCUMENT.read_text(), re.MULTILINE)
    defaults = [
        (field.name, json.dumps(field.default).replace("null", "none")) for field in fields(Config)
    ]
    assert table == defaults


def test_what_is_left_out_keeps_its_default(tmp_path: Path) -> None:
    """An empty file is a valid one."""
    path = tmp_path / "fwid.toml"
    path.write_text("")
    assert load_config(path) == Config()
    path.write_text("learning_units = 3\nalarms_per_device_year = 1\n")
    assert load_config(path) == Config(learning_units=3, alarms_per_device_year=1.0)


def test_a_file_may_be_json(tmp_path: Path) -> None:
    """Home Assistant writes an app's options so."""
    path = tmp_path / "options.json"
    path.write_text('{"learning_units": 3, "alarms_per_device_year": 1}')
    assert load_config(path) == Config(learning_units=3, alarms_per_device_year=1.0)
    for text in ("learning_units = 3", "[]", "{", ""):
        path.write_text(text)
        with pytest.raises(UsageError, match=r"options\.json: not a JSON file"):
            load_config(path)


def test_the_example_in_the_document_is_valid() -> None:
    """What people copy has to work."""
    (example,) = re.findall(r"```toml\n(.*?)```", DOCUMENT.read_text(), re.DOTALL)
    assert parse_config(tomllib.loads(example)) == Config(
        learning_units=14, alarms_per_device_year=0.05
    )


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("learning_unit = 3", ["`learning_unit`", "`learning_units`"]),
        ("[store]\npath = 1", ["`store`"]),
        ("learning_units = 0", ["`learning_units`", ">= 1"]),
        ("learning_units = 1.5", ["`learning_units`", "int"]),
        ("learning_units = true", ["`learning_units`", "int"]),
        ('unit_s = "1d"', ["`unit_s`", "int"]),
        ("alarms_per_device_year = 0", ["`alarms_per_device_year`", "> 0"]),
        ("alarms_per_device_year = nan", ["`alarms_per_device_year`"]),
        ("alarms_per_device_year = inf", ["`alarms_per_device_year`", "<= 1000000000"]),
        ("units_kept_days = 1000000", ["`units_kept_days`", "<= 36500"]),
        ('fritzbox_certificate = "12:34"', ["`fritzbox_certificate`"]),
        ("window_s = 7000", ["`unit_s`", "multiple"]),
        ("learning_units: 3", ["TOML", "line 1"]),
        ("\x00", ["TOML"]),
    ],
)
def test_mistakes_are_told(tmp_path: Path, text: str, words: list[str]) -> None:
    """One line that names the file, the key, and what is wrong with it."""
    path = tmp_path / "fwid.toml"
    path.write_text(text)
    with pytest.raises(UsageError) as caught:
        load_config(path)
    message = str(caught.value)
    assert message.startswith(f"{path}: ")
    assert "\n" not in message
    for word in words:
        assert word in message


def test_a_file_that_cannot_be_read(tmp_path: Path) -> None:
    """A missing file that was asked for is a mistake; so is one that is no text."""
    with pytest.raises(UsageError, match=r"fwid\.toml: No such file"):
        load_config(tmp_path / "fwid.toml")
    (tmp_path / "fwid.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(UsageError, match="not a TOML file"):
        load_config(tmp_path / "fwid.toml")


def test_default_paths_follow_the_xdg_standard(monkeypatch: pytest.MonkeyPatch) -> None:
    """The variables are used where they are absolute, and the home's folders otherwise."""
    monkeypatch.setenv("HOME", "/home/someone")
    monkeypatch.setenv("XDG_STATE_HOME", "/state")
    monkeypatch.setenv("XDG_CONFIG_HOME", "relative")
    assert default_store_path() == Path("/state/fwid/fwid.db")
    assert default_config_path() == Path("/home/someone/.config/fwid/fwid.toml")
    monkeypatch.delenv("XDG_STATE_HOME")
    assert default_store_path() == Path("/home/someone/.local/state/fwid/fwid.db")


def test_keys_that_messages_name_are_keys() -> None:
    """Whoever writes `key = value` as a message says must not be told that the key is unknown."""
    sources = sorted((DOCUMENT.parents[1] / "agent" / "src" / "fwid_agent").rglob("*.py"))
    text = "\n".join(path.read_text() for path in sources)
    named = set(re.findall(r"(?:set|name [a-z ]+ as) `([a-z]\w*)(?: = \w+)?`", text))
    assert {"fritzbox_tls", "fritzbox_certificate", "fritzbox_password_file"} <= named
    assert named <= {field.name for field in fields(Config)}


@pytest.mark.skipif(os.geteuid() != 0, reason="speaks of root")
def test_root_means_the_service_where_it_is_configured(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A backup is restored before the service on a new machine has a store."""
    monkeypatch.setattr(config, "SERVICE_CONFIG", tmp_path / "fwid.toml")
    if not SERVICE_STORE.exists():
        assert default_store_path() != SERVICE_STORE
    (tmp_path / "fwid.toml").touch()
    assert default_store_path() == SERVICE_STORE
