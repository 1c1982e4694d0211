"""What Home Assistant's and HACS's own checks ask of the files beside the code.

The rules are those of their documentation: manifest, translations, services, triggers, conditions,
icons, quality scale, brand images and hacs.json.
"""

import ast
import json
import re
import string
import subprocess
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from awesomeversion import AwesomeVersion, AwesomeVersionStrategy
from homeassistant.const import Platform
from homeassistant.helpers import config_validation as cv
from homeassistant.helpers.selector import TargetSelector, validate_selector
from PIL import Image

from custom_components.fwid.models import Category

ROOT = Path(__file__).parents[2]
COMPONENT = ROOT / "custom_components/fwid"
LANGUAGES = ("de", "es", "fr", "it", "nl")
Tree = dict[str, Any]


def load(name: str) -> Tree:
    path = COMPONENT / name
    text = path.read_text()
    return dict(yaml.safe_load(text) if path.suffix == ".yaml" else json.loads(text))


def described(name: str) -> Tree:
    """What a YAML file offers; keys with a dot are shared parts."""
    return {key: value or {} for key, value in load(name).items() if not key.startswith(".")}


def flatten(tree: Tree, prefix: str = "") -> Iterator[tuple[str, str]]:
    for key, value in tree.items():
        if isinstance(value, dict):
            yield from flatten(value, f"{prefix}{key}.")
        else:
            yield prefix + key, value


EN = load("translations/en.json")
SOURCES = {path.stem: ast.parse(path.read_text()) for path in COMPONENT.glob("*.py")}
TEXT = "\n".join(path.read_text() for path in COMPONENT.glob("*.py"))

# --- manifest and HACS ---


def test_manifest_is_what_the_loader_wants() -> None:
    """Known keys only, domain and name first and then the alphabet, with all that HACS wants."""
    manifest = load("manifest.json")
    keys = list(manifest)

    assert keys[:2] == ["domain", "name"]
    assert keys[2:] == sorted(keys[2:])
    assert set(keys) <= {
        "domain", "name", "after_dependencies", "bluetooth", "codeowners", "config_flow",
        "dependencies", "dhcp", "disabled", "documentation", "homekit", "import_executor",
        "integration_type", "iot_class", "issue_tracker", "loggers", "mqtt", "quality_scale",
        "requirements", "single_config_entry", "ssdp", "usb", "version", "zeroconf",
    }  # fmt: skip
    assert manifest["domain"] == COMPONENT.name
    assert (manifest["integration_type"], manifest["iot_class"]) == ("hub", "local_push")
    assert manifest["requirements"] == []
    assert manifest["config_flow"] is True
    assert manifest["zeroconf"] == ["_fwid._tcp.local."]
    AwesomeVersion(manifest["version"], ensure_strategy=[AwesomeVersionStrategy.SEMVER])


def test_everything_names_the_same_repository() -> None:
    """HACS, the app's store and people end up in one place, and the page that is named is there."""
    home = yaml.safe_load((ROOT / "repository.yaml").read_text())["url"]
    manifest = load("manifest.json")
    host, owner, _ = home.removeprefix("https://").split("/")

    assert host == "github.com"
    assert (ROOT / manifest["documentation"].removeprefix(f"{home}/blob/main/")).is_file()
    assert manifest["issue_tracker"] == f"{home}/issues"
    assert manifest["codeowners"] == [f"@{owner}/maintainers"]
    assert yaml.safe_load((ROOT / "app/config.yaml").read_text())["url"] == home
    pages = [ROOT / "README.md", ROOT / "app/DOCS.md", *(ROOT / "docs").rglob("*.md")]
    named = re.findall(r"https://github\.com/[\w-]+/[\w-]+", "".join(map(Path.read_text, pages)))
    assert set(named) == {home}


def test_hacs_knows_what_to_install_and_on_what() -> None:
    """Documented keys only; the oldest Home Assistant is the one that the tests run on as well."""
    hacs = json.loads((ROOT / "hacs.json").read_text())

    assert set(hacs) <= {
        "name", "content_in_root", "zip_release", "filename", "hide_default_branch", "country",
        "homeassistant", "hacs", "persistent_directory",
    }  # fmt: skip
    assert hacs["name"] == "fwid"
    assert hacs["zip_release"] is True
    assert hacs["filename"] == "fwid.zip"
    locked = (ROOT / "uv.lock").read_text()
    versions = re.findall(r'name = "homeassistant"\nversion = "([\d.]+)"', locked)
    oldest = min(versions, key=AwesomeVersion)
    assert oldest.rpartition(".")[0] == hacs["homeassistant"].rpartition(".")[0]


# --- translations ---


def placeholders(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_translation_is_complete(language: str) -> None:
    """Every text is there, with the same placeholders, and is another text than in English."""
    english, other = dict(flatten(EN)), dict(flatten(load(f"translations/{language}.json")))

    assert other.keys() == english.keys()
    for key, text in english.items():
        assert placeholders(other[key]) == placeholders(text), key
        assert other[key].count("**") == text.count("**"), key
        assert other[key].count("`") == text.count("`"), key
    words = {key: re.sub(r"\{\w+\}", "", text) for key, text in english.items()}
    long = [key for key, text in words.items() if len(text) > 20 and english[key] == other[key]]
    assert long == []


@pytest.mark.parametrize("language", ["en", *LANGUAGES])
def test_card_and_entities_use_the_same_words(language: str) -> None:
    """A state, or an action, is called alike wherever a person meets it."""
    texts = load(f"translations/{language}.json")
    card = json.loads((ROOT / f"card/src/translations/{language}.json").read_text())

    for state, word in texts["entity"]["sensor"]["stability"]["state"].items():
        assert card[f"state_{state}"] == word
    assert card["wrong_alarm"] == texts["services"]["wrong_alarm"]["name"]
    for key in ("similarity", "effect_size"):
        name = texts["entity"]["sensor"][key]["name"]
        assert any(text.startswith(name) for text in card.values()), name


@pytest.mark.parametrize("language", ["en", *LANGUAGES])
def test_texts_are_plain(language: str) -> None:
    """No markup but Markdown, no address, no quoted placeholder, no space around."""
    for key, text in flatten(load(f"translations/{language}.json")):
        assert text == text.strip(), key
        assert not re.search(r"<[a-z/]", text), key
        assert not re.search(r"'\{\w+\}'", text), key
        assert not re.search(r"https?://|www\.", text), key
        assert all(name.isidentifier() for name in placeholders(text)), key
        assert text, key


def test_translation_keys_are_slugs_in_known_categories() -> None:
    """What Home Assistant does not know is not loaded."""
    assert set(EN) <= {
        "title", "common", "conditions", "config", "device", "entity", "exceptions", "issues",
        "options", "selector", "services", "system_health", "triggers",
    }  # fmt: skip
    for key, _ in flatten(EN):
        for part in key.split("."):
            assert re.fullmatch(r"[a-z0-9]+([_-][a-z0-9]+)*", part), key


def test_states_take_no_placeholders() -> None:
    """Nobody fills them."""
    for domain in EN["entity"].values():
        for entity in domain.values():
            assert not [t for _, t in flatten(entity.get("state", {})) if placeholders(t)]


def test_every_entity_has_a_name_and_an_icon() -> None:
    """What is shown is named in words, and recognised at a glance."""
    icons = load("icons.json")["entity"]
    for domain in ("button", "event", "image", "sensor"):
        assert domain in list(Platform)
        keys = set(re.findall(r'translation_key="(\w+)"', (COMPONENT / f"{domain}.py").read_text()))
        assert keys
        assert keys == set(EN["entity"][domain]) == set(icons[domain])


def test_every_error_and_repair_has_words() -> None:
    """A key without a text would be shown as it is."""
    from custom_components.fwid.explanations import KEYS

    raised = set(KEYS.values())
    raised |= set(re.findall(r'(?:_error|_invalid|UnfitError)\("(\w+)"', TEXT))
    issues = set(re.findall(r'Issue\(\s*"(\w+)"', TEXT))
    versions = {"agent_too_old", "integration_too_old"}

    assert raised | versions == set(EN["exceptions"])
    assert issues == set(EN["issues"])
    assert versions < issues
    assert versions < set(EN["config"]["abort"])


def test_every_step_and_outcome_of_a_flow_has_words() -> None:
    """Whatever the flow shows is translated."""
    flow = "".join(path.read_text() for path in COMPONENT.glob("*_flow.py"))
    steps = set(re.findall(r'(?:step_id=|_show_certificate\()"(\w+)"', flow))
    aborts = set(re.findall(r'reason="(\w+)"', flow))

    assert steps == set(EN["config"]["step"]) | set(EN["options"]["step"])
    assert aborts <= set(EN["config"]["abort"]) | set(EN["options"]["abort"])
    for step in (*EN["config"]["step"].values(), *EN["options"]["step"].values()):
        assert set(step.get("data", {})) == set(step.get("data_description", {}))


def test_the_household_is_told_what_the_agent_keeps() -> None:
    """No less than docs/security.md has everybody be told."""
    told = (ROOT / "docs/security.md").read_text().partition("in words such as these:")[2]
    texts = [EN["config"]["step"]["devices"], EN["options"]["step"]["init"]]
    for word in ("sizes", "protocols", "ports", "networks", "at home", "in them"):
        assert word in told
        assert all(word in text["description"] for text in texts), word


# --- services, triggers, conditions, icons ---


@pytest.mark.parametrize("kind", ["services", "triggers", "conditions"])
def test_what_is_offered_is_described_and_has_an_icon(kind: str) -> None:
    """Each has a name, a description and an icon, and so has each of its fields but the icon."""
    offered, words = described(f"{kind}.yaml"), EN[kind]
    icons = load("icons.json")[kind]
    singular = kind.removesuffix("s")

    assert set(offered) == set(words) == set(icons)
    for name, description in offered.items():
        assert set(icons[name]) == {singular}
        assert set(description) <= {"target", "fields"}
        assert words[name]["name"]
        assert words[name]["description"].endswith(".")
        fields = description.get("fields", {})
        assert set(fields) == set(words[name].get("fields", {}))
        for field, schema in fields.items():
            assert set(schema) <= {"required", "default", "example", "selector"}, field
            validate_selector(schema["selector"])
            assert set(words[name]["fields"][field]) == {"name", "description"}
        if "target" in description:
            TargetSelector.CONFIG_SCHEMA(description["target"])


def test_selectors_have_words_for_their_options() -> None:
    """A choice is offered in words."""
    for file, name, field in (
        ("triggers.yaml", "firmware_changed", "expected"),
        ("services.yaml", "set_kind", "category"),
    ):
        choice = described(file)[name]["fields"][field]["selector"]["select"]
        words = EN["selector"][choice["translation_key"]]["options"]
        assert set(choice["options"]) == set(words)


def test_every_category_has_words() -> None:
    """What sort of a device it is, wherever it is said."""
    attributes = EN["entity"]["sensor"]["identified_as"]["state_attributes"]
    for words in (attributes["category"]["state"], EN["selector"]["category"]["options"]):
        assert set(words) == set(Category)


def test_every_repair_that_can_be_done_here_says_how() -> None:
    """The steps and outcomes of its flow, and no other repair has any."""
    source = (COMPONENT / "repairs.py").read_text()
    fixable = set(re.findall(r'Issue\("(\w+)", is_fixable=True\)', TEXT))

    assert fixable == {key for key, words in EN["issues"].items() if "fix_flow" in words}
    for key in fixable:
        flow = EN["issues"][key]["fix_flow"]
        assert set(flow["step"]) == set(re.findall(r'step_id="(\w+)"', source))
        assert set(flow["abort"]) == set(re.findall(r'reason="(\w+)"', source))


def test_icons_are_of_the_set_that_is_there_and_differ_from_their_default() -> None:
    """An icon that is the default anyway says nothing."""
    icons = load("icons.json")
    for key, icon in flatten(icons):
        assert re.fullmatch(r"mdi:[a-z0-9-]+", icon), key
    for domain in icons["entity"].values():
        for entity in domain.values():
            assert entity["default"] not in entity.get("state", {}).values()
    assert cv.slug("fwid") == "fwid"


# --- quality scale ---


def test_the_quality_scale_names_each_rule_and_why_one_is_exempt() -> None:
    """Fifty-four rules, each done, or exempt with a reason."""
    rules = load("quality_scale.yaml")["rules"]

    assert len(rules) == 54
    for rule, status in rules.items():
        if status != "done":
            assert status["status"] == "exempt", rule
            assert len(status["comment"]) > 20, rule
    exempt = {rule for rule, status in rules.items() if status != "done"}
    assert exempt == {"appropriate-polling", "async-dependency"}


@pytest.mark.parametrize(
    ("name", "size"),
    [("icon.png", 256), ("icon@2x.png", 512), ("dark_icon.png", 256), ("dark_icon@2x.png", 512)],
)
def test_brand_images_are_as_the_brands_ask(name: str, size: int) -> None:
    """Square, of the sizes that are asked for, on a transparent ground."""
    with Image.open(COMPONENT / "brand" / name) as image:
        assert image.format == "PNG"
        assert image.size == (size, size)
        assert image.mode == "RGBA"
        assert image.getpixel((0, 0))[3] == 0


# --- layers ---

# module -> modules of the integration that it may import, beside const, models, errors and words
LAYERS: dict[str, set[str]] = {
    "const": set(),
    "models": set(),
    "errors": set(),
    "words": set(),
    "backoff": set(),
    "siblings": set(),
    "parsing": set(),
    "client": {"parsing"},
    "snapshot": set(),
    "facts": set(),
    "journal": set(),
    "explanations": set(),
    "issues": {"markdown", "snapshot"},
    "markdown": set(),
    "enrolment": {"siblings"},
    "coordinator": {
        "backoff", "client", "explanations", "issues", "journal", "siblings", "snapshot",
    },
    "entity": {"coordinator", "siblings"},
    "evidence": {"coordinator"},
    "arrivals": {"coordinator", "snapshot"},
    "bus": {"coordinator", "facts"},
    "versions": {"coordinator", "siblings"},
    "kinds": {"coordinator", "siblings"},
    "repairs": {"coordinator"},
    "targets": set(),
    "card": set(),
    "permissions": {"coordinator"},
    "services": {"coordinator", "entity", "evidence", "permissions"},
    "views": {"permissions", "services"},
    "websocket_api": {"coordinator", "entity", "evidence", "permissions", "services"},
    "button": {"coordinator", "entity"},
    "event": {"coordinator", "entity", "facts"},
    "image": {"coordinator", "entity"},
    "sensor": {"coordinator", "entity"},
    "trigger": {"targets"},
    "condition": {"targets"},
    "diagnostics": {"coordinator", "entity"},
    "logbook": set(),
    "system_health": {"coordinator"},
    "introduction": {"client", "issues"},
    "arrival_flow": {"arrivals", "markdown"},
    "options_flow": {"coordinator", "enrolment"},
    "config_flow": {"arrival_flow", "enrolment", "introduction", "markdown", "options_flow"},
}  # fmt: skip
EVERYBODY = {"const", "models", "errors", "words"}
ONLY_A_NAME = {("client", "Which")}  # a type, no way to ask


def imports(tree: ast.Module) -> Iterator[tuple[str, str]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.level == 1:
            yield from ((node.module or alias.name, alias.name) for alias in node.names)


def test_imports_go_one_way() -> None:
    """Platforms ask the coordinator, never the client; nothing imports what stands above it."""
    assert set(SOURCES) - {"__init__"} == set(LAYERS)
    for module, allowed in LAYERS.items():
        for imported, name in imports(SOURCES[module]):
            if (imported, name) not in ONLY_A_NAME:
                assert imported in allowed | EVERYBODY, f"{module} imports {imported}"


def test_nothing_of_home_assistant_is_in_the_client() -> None:
    """It could be taken out and published."""
    for module in ("client", "models", "parsing", "errors", "snapshot", "backoff", "words"):
        for node in ast.walk(SOURCES[module]):
            if isinstance(node, ast.ImportFrom) and node.level == 0:
                assert not (node.module or "").startswith("homeassistant"), module


# --- documentation and release ---


def test_everything_that_is_offered_is_documented() -> None:
    """Triggers, conditions, actions, entities, options and repairs, by the names people see."""
    pages = {page.stem: page.read_text() for page in (ROOT / "docs/home-assistant").glob("*.md")}

    for kind in ("triggers", "conditions", "services"):
        for name in described(f"{kind}.yaml"):
            assert f"`fwid.{name}`" in pages["automations"], name
    for domain in EN["entity"].values():
        for entity in domain.values():
            name = entity["name"].removeprefix("Fingerprint ")
            assert name in pages["functions"], name
    for kind in EN["entity"]["event"]["firmware"]["state_attributes"]["event_type"]["state"]:
        assert f"`{kind}`" in pages["functions"], kind
    for step in EN["config"]["step"].values():
        for label in step.get("data", {}).values():
            assert f"| {label} |" in pages["configuration"], label


def test_links_of_the_documentation_lead_somewhere() -> None:
    """A page that is named is there."""
    for page in (ROOT / "docs/home-assistant").glob("*.md"):
        for target in re.findall(r"\]\(([^)#:]+)\)", page.read_text()):
            assert (page.parent / target).exists(), f"{page.name}: {target}"


def test_the_release_is_packed_with_its_version(tmp_path: Path) -> None:
    """HACS unpacks it into the folder of the integration: the manifest is at its top."""
    target = tmp_path / "fwid.zip"
    subprocess.run([ROOT / "scripts/make-zip", "1.2.3", target], check=True)

    with zipfile.ZipFile(target) as packed:
        names = set(packed.namelist())
        manifest = json.loads(packed.read("manifest.json"))
    assert manifest["version"] == "1.2.3"
    assert {"__init__.py", "translations/en.json", "frontend/fwid-card.js"} <= names
    assert not [name for name in names if "__pycache__" in name]
    refused = subprocess.run([ROOT / "scripts/make-zip", "new", target], check=False)
    assert refused.returncode == 1
