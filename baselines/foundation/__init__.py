"""Published models: one short file each that says what it is, and its network beside it."""
