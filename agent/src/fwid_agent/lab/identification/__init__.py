"""The study of device identification: how well, and for how long (Kolcun et al., TMA 2021)."""
