"""Every rule of the quality scale that is done names what shows it: a test, or a page."""

import re
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[2]
TESTS, PAGES = ROOT / "tests/integration", ROOT / "docs/home-assistant"
RULES = yaml.safe_load((ROOT / "custom_components/fwid/quality_scale.yaml").read_text())["rules"]

# A test is `file: name` without `test_`, a page `file.md: text that stands in it`.
SHOWN_BY = {
    "action-setup": "services: actions_are_there_without_an_entry",
    "brands": "metadata: brand_images_are_as_the_brands_ask",
    "common-modules": "metadata: imports_go_one_way",
    "config-flow-test-coverage": "config_flow: a_person_adds_an_agent",
    "config-flow": "config_flow: a_wrong_code_can_be_corrected",
    "dependency-transparency": "metadata: manifest_is_what_the_loader_wants",
    "docs-actions": "automations.md: ## Actions",
    "docs-triggers": "automations.md: ## Triggers",
    "docs-conditions": "automations.md: ## Conditions",
    "docs-high-level-description": "README.md: # fwid in Home Assistant",
    "docs-installation-instructions": "installation.md: ## Install",
    "docs-removal-instructions": "installation.md: ## Remove",
    "entity-event-setup": "events: unloading_in_the_midst_of_events_loses_none",
    "entity-unique-id": "entities: entities",
    "has-entity-name": "entities: entities",
    "runtime-data": "setup: an_entry_is_set_up_unloaded_and_set_up_again",
    "test-before-configure": "config_flow: an_address_without_an_agent_can_be_corrected",
    "test-before-setup": "setup: an_agent_that_is_away_is_tried_again_later",
    "unique-config-entry": "config_flow: an_agent_is_added_once",
    "action-exceptions": "services: an_agent_in_trouble_is_an_error_that_is_translated",
    "config-entry-unloading": "setup: an_entry_is_set_up_unloaded_and_set_up_again",
    "docs-configuration-parameters": "configuration.md: ## Options",
    "docs-installation-parameters": "configuration.md: ## When adding an agent",
    "entity-unavailable": "entities: everything_is_unavailable_while_the_agent_is_away",
    "integration-owner": "metadata: everything_names_the_same_repository",
    "log-when-unavailable": "events: once_over_a_network_that_is_cut_for_an_hour",
    "parallel-updates": "quality_scale: every_platform_says_how_many_requests_it_makes",
    "reauthentication-flow": "config_flow: after_its_token_was_revoked_a_new_code_is_enough",
    "test-coverage": "quality_scale: the_coverage_that_is_asked_for_is_held",
    "devices": "entities: devices",
    "diagnostics": "health: diagnostics_can_be_shown_to_anybody",
    "discovery-update-info": "config_flow: an_announcement_moves_the_entry_to_the_new_address",
    "discovery": "config_flow: an_agent_that_announces_itself_is_offered",
    "docs-data-update": "functions.md: ## How data comes",
    "docs-examples": "automations.md: ## Examples",
    "docs-known-limitations": "troubleshooting.md: ## Known limits",
    "docs-supported-devices": "functions.md: ## Which devices",
    "docs-supported-functions": "functions.md: ## Entities",
    "docs-troubleshooting": "troubleshooting.md: ## What to look at",
    "docs-use-cases": "README.md: ## What people use it for",
    "dynamic-devices": "config_flow: a_new_device_is_offered_and_shown",
    "entity-category": "entities: entities",
    "entity-device-class": "entities: entities",
    "entity-disabled-by-default": "entities: noisy_entities_are_off_at_first",
    "entity-translations": "metadata: every_entity_has_a_name_and_an_icon",
    "exception-translations": "metadata: every_error_and_repair_has_words",
    "icon-translations": "metadata: every_entity_has_a_name_and_an_icon",
    "reconfiguration-flow": "config_flow: an_agent_that_moved_is_followed",
    "repair-issues": "health: a_repair_comes_with_its_cause_and_goes_with_it",
    "stale-devices": "setup: a_person_can_remove_a_device_but_not_the_agent",
    "inject-websession": "quality_scale: the_session_is_the_one_of_home_assistant",
    "strict-typing": "quality_scale: types_are_checked_strictly",
}


def test_every_rule_that_is_done_names_what_shows_it() -> None:
    """Nothing is ticked by word alone, and nothing that is exempt is shown."""
    assert set(SHOWN_BY) == {rule for rule, status in RULES.items() if status == "done"}


@pytest.mark.parametrize(("rule", "shown_by"), SHOWN_BY.items(), ids=SHOWN_BY)
def test_what_shows_a_rule_is_there(rule: str, shown_by: str) -> None:
    """A test that was renamed, or a section that was left out, is missed."""
    file, _, what = shown_by.partition(": ")
    if file.endswith(".md"):
        assert what in (PAGES / file).read_text().splitlines()
    else:
        assert re.search(
            rf"^(async )?def test_{what}\(", (TESTS / f"test_{file}.py").read_text(), re.M
        )


def test_every_platform_says_how_many_requests_it_makes() -> None:
    """One at a time where the agent is asked; as many as there are where nobody is."""
    component = ROOT / "custom_components/fwid"
    found = {
        path.stem: re.search(r"^PARALLEL_UPDATES = (\d)$", path.read_text(), re.M)
        for path in component.glob("*.py")
        if "AddConfigEntryEntitiesCallback" in path.read_text()
    }
    assert {platform: match and match[1] for platform, match in found.items()} == {
        "button": "1", "event": "0", "image": "1", "sensor": "0",
    }  # fmt: skip


def test_the_session_is_the_one_of_home_assistant() -> None:
    """The client opens none of its own."""
    text = "".join(path.read_text() for path in (ROOT / "custom_components/fwid").glob("*.py"))
    assert "async_get_clientsession(" in text
    assert not re.search(r"aiohttp\.(ClientSession|request)\(", text)


def test_the_coverage_that_is_asked_for_is_held() -> None:
    """Less than 95 % fails the run of all tests."""
    assert "--cov custom_components/fwid --cov-fail-under 95" in (ROOT / "scripts/test").read_text()


def test_types_are_checked_strictly() -> None:
    """By the linters' part of the tests."""
    assert re.search(r"^strict = true$", (ROOT / "pyproject.toml").read_text(), re.M)
    assert "--python-version 3.14 custom_components" in (ROOT / "scripts/test").read_text()
