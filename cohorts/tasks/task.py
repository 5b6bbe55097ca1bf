"""A published task: classes that its authors made from the statements of a cohort, and folds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd

from cohorts.cohort import CohortCard, Folds
from cohorts.hashing import hash_of_json

LABELLING = 1  # raise it whenever `PublishedTask.labels` answers differently from the same table

TRAINING, VALIDATION, TEST = 0, 1, 2
"""Folds of a task that does not take its cohort's own."""


@dataclass(frozen=True)
class PublishedTask:
    """Labels exactly as the authors of a published table make them, beside the ontology and not of it.

    Attributes
    ----------
    name
        Such as ``ptbxl-super``; it stands for the cohort in records and folders.
    title
        For tables.
    cohort
        Card of the cohort whose records these are.
    means
        Native code -> the classes that it makes positive. What stands behind a ``+`` (a likelihood) is
        not looked at.
    classes
        In the order of the outputs. One that is exactly a concept of the ontology has its id.
    citation
        Where the task, and what it does with the statements, was published.
    keeps_unlabelled
        Whether a record without any class stays in, negative for all; otherwise it is left out.
    splits
        Names of the authors' files that list the training, validation and test records, where the folds are
        neither the cohort's own nor all one; the user puts them into ``folder`` below the data root.
    one_fold
        Whether all records are test records: there is no published split, or the test set is the release.
    remark
        What a reader who compares numbers must know.
    """

    name: str
    title: str
    cohort: CohortCard
    means: Mapping[str, tuple[str, ...]]
    classes: tuple[str, ...]
    citation: str
    keeps_unlabelled: bool = False
    splits: tuple[str, ...] = ()
    folder: str = ""
    one_fold: bool = False
    remark: str = ""

    @property
    def folds(self) -> Folds:
        """The split, by fold number."""
        if self.one_fold:
            return Folds(training=(), validation=(), test=(TEST,))
        if self.splits or self.cohort.folds is None:
            return Folds(training=(TRAINING,), validation=(VALIDATION,), test=(TEST,))
        return self.cohort.folds

    @property
    def card(self) -> CohortCard:
        """The card of the cohort with the name, the folds and the source of the task."""
        changed = {
            "id": self.name,
            "name": f"published task: {self.title}",
            "citation": f"{self.citation}; data: {self.cohort.citation}",
            "folds": self.folds,
            "copy_of": self.cohort.id,
            "readings": {},
        }
        return self.cohort.model_copy(update=changed)

    def labels(self, statements: Sequence[Sequence[str]]) -> pd.DataFrame:
        """Label records by what was stated of them.

        Returns
        -------
        pandas.DataFrame
            int8 ``[records, classes]``: 1 or 0; -1 throughout for a record that the task leaves out.
        """
        column = {name: at for at, name in enumerate(self.classes)}
        values = np.zeros((len(statements), len(column)), dtype=np.int8)
        for row, codes in enumerate(statements):
            for code in codes:
                for name in self.means.get(code.partition("+")[0], ()):
                    values[row, column[name]] = 1
        if not self.keeps_unlabelled:
            values[~values.any(axis=1)] = -1
        return pd.DataFrame(values, columns=list(self.classes))

    @cached_property
    def label_hashes(self) -> dict[str, str]:
        """Hash, for each class, what decides its labels: every code, and which of them mean the class."""
        rules = [LABELLING, self.keeps_unlabelled, sorted(self.means)]
        return {
            name: hash_of_json([*rules, sorted(code for code, means in self.means.items() if name in means)])
            for name in self.classes
        }
