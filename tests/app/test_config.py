"""The app's folder is what Home Assistant expects of one, and fits the agent that it starts."""

import json
import re
import struct
import tomllib
from dataclasses import fields
from pathlib import Path, PurePath
from typing import Any

import pytest
import yaml
from fwid_agent.api.ingress import Ingress
from fwid_agent.api.server import DEFAULT_PORT
from fwid_agent.config import Config, default_store_path, parse_config
from fwid_agent.service.container import copy_of
from jsonschema import Draft202012Validator

ROOT = Path(__file__).parents[2]
APP = ROOT / "app"
CONFIG: dict[str, Any] = yaml.safe_load((APP / "config.yaml").read_text("utf-8"))
WORDS: dict[str, Any] = yaml.safe_load((APP / "translations" / "en.yaml").read_text("utf-8"))
DOCKERFILE = (APP / "Dockerfile").read_text("utf-8")
SCHEMA = json.loads(Path(__file__).with_name("config.schema.json").read_text("utf-8"))
KEYS = {field.name: field.default for field in fields(Config)}
# Options that the agent is given in another way than as they are.
ARGUMENTS = {"sources", "fritzbox_password"}


def limits(choice: str) -> tuple[Any, Any]:
    """The least and the most that `int(1,365)` or `float(0.1,)?` allows."""
    kind, low, high = re.fullmatch(r"(int|float)\((.*),(.*)\)\??", choice).group(1, 2, 3)  # type: ignore[union-attr]
    number = {"int": int, "float": float}[kind]
    return number(low), number(high)


def test_config_is_as_documented() -> None:
    """Every key is one that Home Assistant knows, with a value that it takes."""
    Draft202012Validator.check_schema(SCHEMA)
    errors = [error.message for error in Draft202012Validator(SCHEMA).iter_errors(CONFIG)]
    assert errors == []


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("privileged", ["NET_RAWER"]),
        ("arch", ["armv7"]),
        ("watchdog", "https://localhost:8127/"),
        ("backup", "cold"),
        ("schema", {"sources": ["text"]}),
        ("host_networks", True),
    ],
)
def test_the_schema_finds_mistakes(key: str, value: object) -> None:
    """What it was written from says that these are wrong."""
    assert not Draft202012Validator(SCHEMA).is_valid({**CONFIG, key: value})


def test_the_rights_are_those_that_the_job_needs() -> None:
    """A new right in here is a decision, and belongs into the app's documentation."""
    rights = {
        key: value
        for key, value in CONFIG.items()
        if key in ("privileged", "full_access", "hassio_api", "homeassistant_api", "docker_api")
        or key.startswith("host_")
    }
    assert rights == {"host_network": True, "privileged": ["NET_RAW"]}
    assert "NET_RAW" in (APP / "DOCS.md").read_text("utf-8")


def test_versions_are_one() -> None:
    """The app starts the agent of its own version."""
    agent = tomllib.loads((ROOT / "agent" / "pyproject.toml").read_text("utf-8"))["project"]
    (argument,) = re.findall(r"^ARG BUILD_VERSION=(\S+)$", DOCKERFILE, re.MULTILINE)
    assert CONFIG["version"] == argument == agent["version"]
    assert f"## {agent['version']}\n" in (APP / "CHANGELOG.md").read_text("utf-8")


def test_ports_are_those_of_the_agent() -> None:
    """What the Supervisor asks is where the agent answers."""
    assert CONFIG["ingress_port"] == Ingress().port
    assert CONFIG["watchdog"] == f"https://[HOST]:[PORT:{DEFAULT_PORT}]/api/v1/health"
    assert f"EXPOSE {DEFAULT_PORT}\n" in DOCKERFILE


def test_options_have_the_agents_defaults() -> None:
    """An option that is not touched changes nothing."""
    assert {**CONFIG["options"], "sources": []} == CONFIG["options"]
    for key, value in CONFIG["options"].items():
        if key not in ARGUMENTS:
            assert value == KEYS[key], key


@pytest.mark.parametrize("key", sorted(set(CONFIG["schema"]) - ARGUMENTS))
def test_what_home_assistant_allows_the_agent_takes(key: str) -> None:
    """A person's choice never ends in an agent that does not start."""
    choice = CONFIG["schema"][key]
    assert (key in CONFIG["options"]) == (not choice.endswith("?"))
    words = {"bool": (True, False), "str": ("somebody",)}
    values = words.get(choice.rstrip("?")) or limits(choice)
    for value in values:
        parse_config({key: value})


def test_every_option_is_explained() -> None:
    """Each has a name and a sentence, and nothing is explained that is not there."""
    assert set(WORDS) == {"configuration"}
    assert set(WORDS["configuration"]) == set(CONFIG["schema"])
    for words in WORDS["configuration"].values():
        assert set(words) == {"name", "description"}
        assert words["description"].endswith(".")


def test_a_backup_has_the_copy_and_not_the_store() -> None:
    """A store that is being written to is not to be copied; its copy is."""
    store = PurePath("/data/addons/data/0123abcd_fwid/fwid") / default_store_path().name
    copy = store.with_name(copy_of(default_store_path()).name)

    def is_left_out(path: PurePath) -> bool:  # as the Supervisor looks at it
        return any(path.match(pattern) for pattern in CONFIG["backup_exclude"])

    for beside in ("", "-wal", "-shm", ".sock"):
        assert is_left_out(store.with_name(store.name + beside))
    for kept in ("tokens.json", "certificate.pem", "home-assistant.token"):
        assert not is_left_out(store.with_name(kept))
    assert not is_left_out(copy)


def test_the_image_that_home_assistant_builds_is_the_app() -> None:
    """It builds the last stage, with the folder `app` and nothing else of the checkout."""
    last = re.split(r"^FROM ", DOCKERFILE, flags=re.MULTILINE)[-1]
    assert last.startswith("container AS app\n")
    assert '"fwid_agent.service.container", "app"]' in last
    copied = re.findall(r"^COPY (\S+)", DOCKERFILE, re.MULTILINE)
    assert all(word.startswith("--from=") for word in copied)


@pytest.mark.parametrize(("name", "size"), [("icon.png", (128, 128)), ("logo.png", (250, 100))])
def test_pictures_have_the_recommended_size(name: str, size: tuple[int, int]) -> None:
    """They are scaled in the app store otherwise."""
    head = (APP / name).read_bytes()[:24]
    assert head[:8] == b"\x89PNG\r\n\x1a\n"
    assert struct.unpack(">II", head[16:24]) == size


def test_the_repository_is_one_of_apps() -> None:
    """Home Assistant looks for this file at the root."""
    found = yaml.safe_load((ROOT / "repository.yaml").read_text("utf-8"))
    assert set(found) <= {"name", "url", "maintainer"}
    assert found["url"] == CONFIG["url"]
