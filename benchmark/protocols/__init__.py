"""Protocols: the ways in which a model may be asked, each with what it learns from the source cohort."""
