"""A prepared cohort seen through a published task: the same recordings, the task's labels and folds."""

from __future__ import annotations

import functools
from pathlib import Path, PurePosixPath
from typing import Self

import numpy as np
import pandas as pd

from cohorts.errors import UsageError
from cohorts.formats.csv_rows import csv_rows
from cohorts.hashing import hash_of_json
from cohorts.ontology.ontology import load_ontology
from cohorts.store import Store
from cohorts.tasks import PublishedTask, find_task


class TaskStore(Store):
    """A store whose labels are a task's classes.

    Every record of the cohort keeps its place, so that features are computed once for all tasks. A record
    that the task leaves out has no fold, and -1 for every class. The ontology's concepts are there too, -1
    for all, so that a model with more outputs can be measured on those that the task is about.

    Parameters
    ----------
    path
        The store of the task's cohort.
    name
        Of the task.
    split
        Record id -> fold, for a task with lists of its own.
    """

    def __init__(self, path: Path, name: str, split: dict[str, int] | None = None) -> None:
        super().__init__(path)
        self.task = find_task(name)
        self._split = split
        self.card = self.task.card.model_copy(update={"simulated": self.card.simulated})
        folds = [None if pd.isna(fold) else int(fold) for fold in self.index["fold"]]
        self.fingerprint = hash_of_json([self.recordings, name, folds])

    def __reduce__(  # type: ignore[override]
        self,
    ) -> tuple[type[Self], tuple[Path, str, dict[str, int] | None], tuple[str, ...] | None]:
        return type(self), (self.path, self.task.name, self._split), self.file.facts

    @functools.cached_property
    def index(self) -> pd.DataFrame:
        """The cohort's index with the folds of the task; NA for a record that it leaves out."""
        index = super().index
        if self._split is not None:
            fold = index["record_id"].map(self._split).astype("Int64")
        elif self.task.one_fold:
            fold = pd.Series(self.task.folds.test[0], index=index.index, dtype="Int64")
        else:
            fold = index["fold"]
        left_out = (self.task.labels(index["statements"].tolist()) < 0).all(axis=1)
        return index.assign(fold=fold.mask(left_out))

    @functools.cached_property
    def labels(self) -> pd.DataFrame:
        """int8 ``[records, columns]``: the task's classes, then the concepts that it is not about."""
        own = self.task.labels(self.index["statements"].tolist())
        others = [str(name) for name in load_ontology().concepts.index if name not in own]
        rest = pd.DataFrame(np.full((len(own), len(others)), -1, dtype=np.int8), columns=others)
        return pd.concat([own, rest], axis=1)


def open_task(name: str, store: Store, data: Path | None) -> TaskStore:
    """See a prepared cohort through a task.

    Parameters
    ----------
    store
        Of the task's cohort.
    data
        The data root, below which the authors' lists of records lie where the task needs them.

    Raises
    ------
    UsageError
        If such a list is missing, or not one of records.
    """
    task = find_task(name)
    seen = TaskStore(store.path, name, _read_split(task, data) if task.splits else None)
    seen.file.make_again = store.file.make_again
    return seen


def _read_split(task: PublishedTask, data: Path | None) -> dict[str, int]:
    """Read which record the authors had in which fold, from their lists."""
    folds = task.folds
    split: dict[str, int] = {}
    for file, (fold,) in zip(task.splits, (folds.training, folds.validation, folds.test), strict=True):
        path = (data or Path()) / task.folder / file
        if data is None or not path.is_file():
            raise UsageError(
                f"The task {task.name} needs the authors' list of records {path}; see {task.citation}."
            )
        for name in _listed(path):
            if split.setdefault(name, fold) != fold:
                raise UsageError(
                    f"{path} lists record {name}, which another list has as well; get both again."
                )
    return split


def _listed(path: Path) -> list[str]:
    """Record ids of a list: the name of the recording's file, under either name of its column."""
    for column in ("ecg_path", "filename"):
        try:
            return [PurePosixPath(row[column]).stem for _, row in csv_rows(path, (column,))]
        except UsageError:
            continue
    raise UsageError(f"{path} has neither a column ecg_path nor filename; is it one of the authors' lists?")
