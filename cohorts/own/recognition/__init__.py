"""What a hospital's table says of itself, for a first ``cohort.toml``."""
