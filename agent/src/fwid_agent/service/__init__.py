"""The running agent: a capture process, the analysis, and what keeps both going for years."""
