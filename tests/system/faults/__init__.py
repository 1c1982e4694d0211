"""Faults, each injected for real into a running agent, and what came of it."""
