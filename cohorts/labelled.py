"""Who is in a cohort and what is said of them, with or without the recordings."""

from __future__ import annotations

import hashlib
from functools import cached_property
from typing import Protocol

import pandas as pd

from cohorts.catalogue import introduce
from cohorts.cohort import Cohort, CohortCard
from cohorts.ontology.ontology import load_ontology
from cohorts.store_writing import hash_index

WITHOUT_SIGNALS = "labels-"
"""Start of the fingerprint of a cohort whose signals were not looked at."""


class Labelled(Protocol):
    """What measuring needs of a cohort: a store, or the annotation files alone."""

    @property
    def card(self) -> CohortCard:
        """The facts of the release."""

    @property
    def fingerprint(self) -> str:
        """Hash of its records."""

    @property
    def index(self) -> pd.DataFrame:
        """One row a record that can be measured, sorted by ``record_id``."""

    @property
    def labels(self) -> pd.DataFrame:
        """int8 ``[records, concepts]``: 1 positive, 0 negative, -1 not annotated here."""

    @property
    def quarantine(self) -> pd.DataFrame:
        """Records that cannot be measured: ``record_id`` and ``reason``."""

    def __len__(self) -> int:
        """Records that can be measured."""


class LabelledCohorts(Protocol):
    """Gives a cohort by its id as it is on this machine, None where the release is not here."""

    def __call__(self, cohort: str, /, *, signals: bool = True) -> Labelled | None:
        """Prepare it, or with ``signals=False`` read its annotation files alone."""


class LabelledIndex:
    """Index and labels of a release whose signals are not needed.

    Every record that its annotation files list can be measured: which of them a look at the signals would
    have put into quarantine, nobody knows. So its fingerprint is another one than that of the store.

    Parameters
    ----------
    cohort
        The release on disk; no signal of it is read.
    """

    def __init__(self, cohort: Cohort) -> None:
        introduce(cohort)
        self.card = cohort.card
        self.index = cohort.index()
        self.quarantine = cohort.unreadable.sort_values(["record_id", "reason"], ignore_index=True)

    def __len__(self) -> int:
        return len(self.index)

    @cached_property
    def labels(self) -> pd.DataFrame:
        """int8 ``[records, concepts]``: 1 positive, 0 negative, -1 not annotated here."""
        statements = self.index["statements"].tolist()
        return load_ontology().labels(self.card.id, self.card.vocabulary, statements)

    @cached_property
    def fingerprint(self) -> str:
        """Hash of what the annotation files say, marked as such."""
        digest = hashlib.sha256()
        hash_index(digest, self.card.id, self.index)
        return WITHOUT_SIGNALS + digest.hexdigest()


def signals_read(fingerprint: str) -> bool:
    """Whether the signals of the cohort with this fingerprint were looked at."""
    return not fingerprint.startswith(WITHOUT_SIGNALS)
