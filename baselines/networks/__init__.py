"""Network architectures, built to load the state dicts of the published models."""
