"""A cohort that its hospital describes in ``cohort.toml``: a table, a path template, and what labels mean."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Collection, Iterator, Mapping
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np
import pandas as pd

from cohorts.cohort import Cohort, CohortCard, IndexRow, Unreadable
from cohorts.errors import UsageError
from cohorts.hashing import hash_of_json
from cohorts.index import Index
from cohorts.own import diagnoses, labels
from cohorts.own.contradictions import left_open
from cohorts.own.description import Description
from cohorts.own.paths import objections
from cohorts.own.people import People
from cohorts.own.reading import read_description
from cohorts.own.recordings import Recordings
from cohorts.own.statements import from_statements
from cohorts.own.table import filled, read_columns
from cohorts.own.vocabulary import read_vocabulary
from cohorts.recording import DigitalRecording

SAME_FILE = "Its file is that of another row too; the first row is used."


class OwnCohort(Cohort):
    """One cohort of a hospital; `own_cohort` makes its class.

    Parameters
    ----------
    root
        The folder that the description names, beside it by default.
    """

    description: ClassVar[Description]
    file: ClassVar[Path]
    labels_apart = True

    def anew(self) -> Self:
        """Give the cohort as if it had just been opened: nothing that was read of it is kept."""
        return type(self)(self.root)

    @classmethod
    def found(cls, root: Path) -> bool:
        """Whether its table is there."""
        try:
            return cls._index_file().is_file()
        except OSError:  # a name that is too long, for one
            return False

    @classmethod
    def _index_file(cls) -> Path:
        return cls.file.parent / cls.description.cohort.index

    def source_paths(self) -> tuple[Path, ...]:
        """None: `states` looks at the files that the index names, and at no other of the folder."""
        return ()

    def warnings(self) -> tuple[str, ...]:
        """Say what of the table was not understood, without saying what it is."""
        return (*self._people.warnings, *self._said.warnings)

    def examples(self) -> Mapping[str, tuple[str, ...]]:
        """Give ids of records that a warning is about."""
        return self._said.examples

    def unheard(self) -> Mapping[str, int]:
        """Give the codes that the vocabulary does not know, with the number of ECGs: for its owner alone."""
        return self._said.unheard

    def states(self) -> str:
        """Hash what decides the recordings: the description but its labels, the table, names and times."""
        index = self.index()
        digest = hashlib.sha256(
            hash_of_json(self.description.model_dump(mode="json", exclude={"labels"})).encode()
        )
        for table in (index.drop(columns="statements"), self.unreadable):
            digest.update(pd.util.hash_pandas_object(table, index=False).to_numpy().tobytes())
        for line in self._recordings.listing(index["path"]):
            digest.update(os.fsencode(line))
        return digest.hexdigest()

    @property
    def unknown_sexes(self) -> Mapping[str, int]:
        """None: what a cell says is of a patient; `warnings` has their number."""
        return {}

    def _read_index(self) -> Iterator[IndexRow | Unreadable]:
        raise NotImplementedError  # the table is taken in whole columns: see `_index`

    @cached_property
    def _cells(self) -> pd.DataFrame:
        """The columns of the table that the description names, as text."""
        part = self.description.cohort
        array = self.description.array
        named = [
            *(
                part.record_id,
                part.patient_id,
                part.age,
                part.birth_year,
                part.birth_date,
                part.date,
                part.year,
                part.fold,
            ),
            part.sex.column if part.sex else None,
            part.report,
            *(column for _, column in part.template()),
            *((array.row, array.rate if isinstance(array.rate, str) else None) if array else ()),
            *self.description.labels.read_columns(),
        ]
        return _read(self.description, self.file, [name for name in named if name is not None])

    @cached_property
    def _index(self) -> Index:
        cells, part, people = self._cells, self.description.cohort, self._people
        ids = cells[part.record_id]
        paths = self._recordings.paths
        reason = objections(part.template(), cells, paths)
        table = pd.DataFrame(
            {
                "record_id": ids,
                "patient_id": people.patients,
                "age": people.ages,
                "sex": people.sexes,
                "fold": people.folds,
                "statements": pd.Series(self._said.of_records(len(cells)), dtype="object"),
                "report": filled(cells, part.report),
                "path": paths,
            }
        )
        if part.fold is not None:
            reason = reason.mask(
                table["fold"].isna() & reason.isna(), "It has no fold that is a whole number."
            )
        twice = table["path"].where(reason.isna() & (ids != "") & ~ids.duplicated())
        reason = reason.mask(twice.notna() & twice.duplicated(), SAME_FILE)
        if part.first_ecg_only:
            later = people.not_first(ids, reason.isna())
            reason = reason.mask(reason.isna(), later)
        reason = reason.mask(
            ids.duplicated() & (ids != ""), "Its id occurs more than once; the first row is used."
        )
        rows = pd.Series(np.arange(2, len(ids) + 2), dtype="int64").astype("str")
        reason = reason.mask(ids == "", f"It has no id in column '{part.record_id}'.")
        left_out = pd.DataFrame(
            {"record_id": ids.where(ids != "", "row-" + rows), "reason": reason.astype("str")}
        )
        kept = table[reason.isna()].sort_values("record_id", ignore_index=True)
        left_out = left_out[reason.notna()].sort_values(["record_id", "reason"], ignore_index=True)
        return Index(kept, left_out, {}, ())

    @cached_property
    def _recordings(self) -> Recordings:
        return Recordings(self.root, self.description, self._index_file(), self._cells)

    @cached_property
    def _people(self) -> People:
        return People(self._index_file(), self.description.cohort, self._cells)

    @cached_property
    def _said(self) -> labels.Said:
        part, cells = self.description.labels, self._cells
        sources = [labels.from_columns(self._index_file(), cells, part.columns)]
        taken = set(part.columns)
        if part.statements is not None:
            sources.append(_from_statements(self.description, self.file, cells, taken))
            taken |= sources[-1].annotates.keys()
        if part.icd10 is not None and (moments := self._people.moments) is not None:
            folder = self.file.parent
            icd10 = part.icd10
            if icd10.encoding is None:
                icd10 = icd10.model_copy(update={"encoding": self.description.cohort.encoding})
            sources.append(diagnoses.from_diagnoses(folder, icd10, self._people.patients, moments, taken))
        ids = cells[self.description.cohort.record_id].tolist()
        return left_open(labels.joined(sources), part.columns, ids)

    def _read_signal(self, path: Path) -> DigitalRecording:
        return self._recordings.read(path, self.index()["path"])


def _from_statements(
    description: Description, file: Path, cells: pd.DataFrame, taken: Collection[str]
) -> labels.Said:
    part = description.labels.statements
    assert part is not None  # noqa: S101
    vocabulary = read_vocabulary(file.parent, part.vocabulary, part.free_text)
    index = file.parent / description.cohort.index
    return from_statements(index, cells[part.column], part, vocabulary, taken)


def own_cohort(file: Path) -> type[OwnCohort]:
    """Make the class of a cohort from its description.

    Raises
    ------
    UsageError
        If the description or a table that it names is wrong.
    """
    file = Path(file).absolute()
    description = read_description(file)
    part = description.cohort
    rates = description.array.rate if description.array and part.format != "auto" else None
    card = CohortCard(
        id=part.id,
        name=part.name or part.id,
        version=part.version,
        licence=part.licence,
        access=part.access,
        url=part.url,
        citation=part.citation,
        vocabulary=f"codes of {part.id}",
        folder=part.id,
        records=None,
        sampling_rates=(rates,) if isinstance(rates, float) else (),
        country=part.country,
        folds=part.folds,
        english_reports=part.report_language == "en",
    )
    facts: dict[str, Any] = {"card": card, "description": description, "file": file}
    facts |= {"__doc__": card.name, "__module__": __name__}  # it would be that of the metaclass
    kind: type[OwnCohort] = type("HospitalCohort", (OwnCohort,), facts)
    said = _brought(description, file)
    kind.own_codes = said.codes or (labels.UNSAID,)
    kind.annotates, kind.own_questions = said.annotates, said.questions
    return kind


def _brought(description: Description, file: Path) -> labels.Said:
    """What the codes mean and which concepts are annotated; of the table, only native codes are looked at."""
    part = description.labels
    nothing = pd.DataFrame(columns=list(part.columns.values()), dtype="str")
    sources = [labels.from_columns(file, nothing, part.columns)]
    taken = set(part.columns)
    if part.statements is not None:
        cells = _read(description, file, [part.statements.column])
        sources.append(_from_statements(description, file, cells, taken))
        taken |= sources[-1].annotates.keys()
    if part.icd10 is not None:
        codes, annotates = diagnoses.meanings(taken)
        sources.append(labels.Said({}, codes, annotates))
    return left_open(labels.joined(sources), part.columns)


def _read(description: Description, file: Path, columns: list[str]) -> pd.DataFrame:
    """Read columns of the index."""
    part = description.cohort
    return read_columns(
        file.parent / part.index, columns, separator=part.separator, encoding=part.encoding, sheet=part.sheet
    )


def home_of(cohort: type[OwnCohort]) -> Path:
    """The folder that nothing may lead out of.

    Raises
    ------
    UsageError
        If it, or the table, is not there.
    """
    named = cohort.description.cohort.root
    try:
        root = cohort.file.parent / Path(named).expanduser()
        there = root.is_dir()
    except (OSError, RuntimeError):  # a name that is too long, or nobody's home folder
        there = False
    if not there:
        raise UsageError(f"{cohort.file} names the root {named}, but there is no such folder.")
    if not cohort.found(root):
        table = cohort.description.cohort.index
        raise UsageError(f"{cohort.file} names the table {table}, but there is none; correct index.")
    return root.resolve()
