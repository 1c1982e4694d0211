"""Headers of chosen devices for research: nothing else, and no address as it was."""
