"""Models that identify devices, made anew at home from what its devices do."""
