"""Signals, or pictures of them, and reports in one space."""
