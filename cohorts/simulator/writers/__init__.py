"""One module per published release: a simulated copy of it, in its own layout with its quirks."""
