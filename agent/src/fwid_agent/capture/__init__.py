"""Sources of frames; each yields blocks."""
