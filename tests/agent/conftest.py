"""What holds for all tests of the agent."""

from hypothesis import settings

# No test asserts a time: machines differ, and so do their moods.
settings.register_profile("fwid", deadline=None)
settings.load_profile("fwid")
