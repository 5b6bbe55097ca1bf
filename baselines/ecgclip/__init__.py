"""ECGCLIP: signals and reports in one space."""
