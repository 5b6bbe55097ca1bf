"""The ontology's own tables, read once a process, and what they say without the mask of the cohorts."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from pathlib import Path

import cohorts.ontology
from cohorts.ontology import Ontology
from cohorts.ontology.tables import Tables, read_tables

FOLDER = Path(cohorts.ontology.__file__).parent


@cache
def own_tables() -> Tables:
    """The tables, which nobody writes to."""
    return read_tables(FOLDER)


@cache
def unmasked() -> Ontology:
    """The ontology as if every cohort annotated every concept that it has a row for."""
    tables = own_tables()
    return Ontology(replace(tables, coverage=tables.coverage.assign(state="annotated")))
