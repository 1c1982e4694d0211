"""Refinement at home: the twin network's last layers, on the household's own devices."""
