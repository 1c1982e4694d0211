"""The agent's HTTP API: the one way by which Home Assistant and the page learn what it knows."""
