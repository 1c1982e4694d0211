import pytest
from awesomeversion import AwesomeVersion
from homeassistant.const import __version__

# Imported before Home Assistant looks in its configuration folder, where the test package keeps a
# `custom_components` of its own: the first one imported is the one that is searched.
import custom_components.fwid  # noqa: F401


def pytest_configure() -> None:
    """Stop on an old Home Assistant, which installs silently where Python is older than 3.14."""
    if AwesomeVersion(__version__) < AwesomeVersion("2026.10"):
        pytest.exit(f"Home Assistant {__version__} is too old; run scripts/test ha", returncode=2)


@pytest.fixture(autouse=True)
def _custom_integrations(enable_custom_integrations: None) -> None:
    """Let Home Assistant find the integration of this checkout."""
