# Home Assistant serves this name by another package since 2026.9; this is what it is then.
from probatio import *  # noqa: F403
