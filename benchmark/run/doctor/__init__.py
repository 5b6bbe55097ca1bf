"""What commonly keeps a run from going well on a machine, and what to do about it."""
