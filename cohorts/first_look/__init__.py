"""A first look at a cohort, before anything runs: what is there, and what is doubtful about it."""
