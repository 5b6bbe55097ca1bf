"""Predictions that were made elsewhere, against a table of labels or on a cohort."""
