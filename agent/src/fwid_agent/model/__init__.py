"""The quantised encoders, their adapter, manifest and card."""
