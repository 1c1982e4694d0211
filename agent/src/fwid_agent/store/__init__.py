"""SQLite store of windows, units, verdicts and events."""
