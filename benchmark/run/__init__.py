"""Runs: which cells there are, which are done, and executing the others."""
