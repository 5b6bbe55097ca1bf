"""A hospital's own ECGs as a cohort: described by a file, ``cohort.toml``, without code."""
