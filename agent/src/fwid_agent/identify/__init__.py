"""Which device, or what kind of device, a flow is of: models that run at home."""
