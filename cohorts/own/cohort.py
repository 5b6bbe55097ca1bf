"""A cohort that its hospital describes in ``cohort.toml``: a table, a path template, and what labels mean."""

from __future__ import annotations

import hashlib
import math
import os
from collections.abc import Collection, Iterator, Mapping
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np
import pandas as pd

from cohorts.cohort import Cohort, CohortCard, IndexRow, Unreadable
from cohorts.errors import RecordError, UsageError
from cohorts.formats.any_file import read_file
from cohorts.hashing import hash_of_json
from cohorts.own import diagnoses, labels, people
from cohorts.own.arrays import check_unit, read_array, rows_of_array
from cohorts.own.contradictions import left_open
from cohorts.own.description import HIGHEST_RATE, Description
from cohorts.own.paths import fill, objections, status_of
from cohorts.own.reading import read_description
from cohorts.own.statements import from_statements, read_vocabulary
from cohorts.own.table import read_columns
from cohorts.recording import DigitalRecording

SAMPLE = 50
"""ECGs, about, that are looked at before a unit is believed."""

SAME_FILE = "Its file is that of another row too; the first row is used."

_SIGNAL_SUFFIXES = (".hea", ".dat", ".mat")
"""Of WFDB: the signals of a header may lie in a file of another name."""


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
        return (*self._people_warnings, *self._said.warnings)

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
        for line in self._listing(index["path"]):
            digest.update(os.fsencode(line))
        return digest.hexdigest()

    def _listing(self, paths: pd.Series[str]) -> Iterator[str]:
        """Yield name, size and time of the files of recordings, and of what may belong to them."""
        if self.description.cohort.one_file:
            status = (self.root / self.description.cohort.signals).stat()
            yield f"{status.st_size} {status.st_mtime_ns}"
            return
        folders: dict[str, set[str]] = {}
        for path in paths:
            folder, _, name = path.rpartition("/")
            folders.setdefault(folder, set()).add(name.split(".")[0])
        for folder, stems in sorted(folders.items()):
            place = self.root / folder
            if not place.is_dir():
                continue
            with os.scandir(place) as entries:
                for entry in sorted(entries, key=lambda entry: entry.name):
                    if entry.name.split(".")[0] in stems or entry.name.endswith(_SIGNAL_SUFFIXES):
                        status = status_of(entry)
                        yield f"{folder}/{entry.name} {status.st_size} {status.st_mtime_ns}\n"

    @property
    def unknown_sexes(self) -> Mapping[str, int]:
        """None: what a cell says is of a patient; `warnings` has their number."""
        return {}

    def _read_index(self) -> Iterator[IndexRow | Unreadable]:
        raise NotImplementedError  # the table is taken in whole columns: see `_tables`

    @cached_property
    def _cells(self) -> pd.DataFrame:
        """The columns of the table that the description names, as text."""
        part = self.description.cohort
        array = self.description.array
        named = [
            *(part.record_id, part.patient_id, part.age, part.birth_year, part.date, part.year, part.fold),
            part.sex.column if part.sex else None,
            part.report,
            *(column for _, column in part.template()),
            *((array.row, array.rate if isinstance(array.rate, str) else None) if array else ()),
            *self.description.labels.read_columns(),
        ]
        return _read(self.description, self.file, [name for name in named if name is not None])

    @cached_property
    def _tables(self) -> tuple[pd.DataFrame, pd.DataFrame, Mapping[str, int]]:
        cells, part = self._cells, self.description.cohort
        ids = cells[part.record_id]
        paths = self._paths_of(cells)
        reason = objections(part.template(), cells, paths)
        table = pd.DataFrame(
            {
                "record_id": ids,
                "patient_id": self._patients,
                "age": people.ages(cells, part, self._moments),
                "sex": people.sexes(cells, part.sex),
                "fold": people.folds(cells, part.fold),
                "statements": pd.Series(self._said.of_records(len(cells)), dtype="object"),
                "report": self._reports,
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
            reason = reason.mask(reason.isna(), self._not_first(reason.isna()))
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
        return kept, left_out, {}

    def _paths_of(self, cells: pd.DataFrame) -> pd.Series[str]:
        """Where each recording lies; in a file of all, its position is the last part."""
        part, array = self.description.cohort, self.description.array
        paths = fill(part.template(), cells)
        if not part.one_file or array is None:
            return paths
        rows = (
            cells[array.row] if array.row else pd.Series(np.arange(len(cells)), dtype="int64").astype("str")
        )
        twice = int((rows.duplicated() & (rows != "")).sum())
        if twice:
            raise UsageError(
                f"{twice:,} rows of {self._index_file()} have a position that another row has; each "
                "recording of the array has one row."
            )
        return paths + "/" + rows

    @cached_property
    def _patients(self) -> pd.Series[str]:
        part = self.description.cohort
        if part.patient_id is None:
            return pd.Series([None] * len(self._cells), dtype="str")
        patients = self._cells[part.patient_id]
        return patients.where(patients != "")

    @property
    def _reports(self) -> pd.Series[str]:
        part = self.description.cohort
        if part.report is None:
            return pd.Series([None] * len(self._cells), dtype="str")
        reports = self._cells[part.report]
        return reports.where(reports != "")

    @cached_property
    def _moments(self) -> pd.Series[pd.Timestamp] | None:
        part = self.description.cohort
        if part.date is None:
            return None
        return people.dates(self._index_file(), self._cells[part.date], part.date_format)

    def _not_first(self, usable: pd.Series[bool]) -> pd.Series[str]:
        """Say of each record that is not its patient's first why it takes no part; NA for the others."""
        assert self._moments is not None  # noqa: S101
        found = pd.Series([None] * len(usable), dtype="str")
        table = pd.DataFrame(
            {
                "patient": self._patients,
                "moment": self._moments,
                "id": self._cells[self.description.cohort.record_id],
            }
        )[usable.to_numpy()]
        unknown = table["patient"].isna() | table["moment"].isna()
        first = table[~unknown].sort_values(["moment", "id"], kind="stable").duplicated("patient")
        found[first.index[first]] = "Not the first ECG of its patient (first_ecg_only)."
        found[table.index[unknown]] = (
            "Without patient or date nobody knows whether it is the first (first_ecg_only)."
        )
        return found

    @cached_property
    def _people_warnings(self) -> tuple[str, ...]:
        part, cells, index = self.description.cohort, self._cells, self._cells.index
        found: list[str] = []
        age = part.age or part.birth_year
        if age is not None:
            found += people.counted(cells[age], people.ages(cells, part, self._moments), "An age", age)
        if part.sex is not None:
            found += people.counted(
                cells[part.sex.column], people.sexes(cells, part.sex), "A sex", part.sex.column
            )
        if part.date is not None and self._moments is not None:
            found += people.counted(cells[part.date], self._moments, "A date", part.date)
        if part.folds is not None:
            found += people.split(self._patients, people.folds(cells, part.fold), part.folds)
        return tuple(found) if len(index) else ()

    @cached_property
    def _said(self) -> labels.Said:
        part, cells = self.description.labels, self._cells
        sources = [labels.from_columns(self._index_file(), cells, part.columns)]
        taken = set(part.columns)
        if part.statements is not None:
            sources.append(_from_statements(self.description, self.file, cells, taken))
            taken |= sources[-1].annotates.keys()
        if part.icd10 is not None and self._moments is not None:
            folder = self.file.parent
            icd10 = part.icd10
            if icd10.encoding is None:
                icd10 = icd10.model_copy(update={"encoding": self.description.cohort.encoding})
            sources.append(diagnoses.from_diagnoses(folder, icd10, self._patients, self._moments, taken))
        ids = cells[self.description.cohort.record_id].tolist()
        return left_open(labels.joined(sources), part.columns, ids)

    def _read_signal(self, path: Path) -> DigitalRecording:
        if self.description.array is None:
            if not path.is_file():
                raise RecordError("Its file is not there.")
            return read_file(path, self.description.cohort.format)
        self._look_at_arrays()
        return self._array(path.relative_to(self.root).as_posix())

    def _array(self, path: str) -> DigitalRecording:
        """Read the recording at a path of the index."""
        part = self.description.array
        assert part is not None  # noqa: S101
        rate = part.rate if isinstance(part.rate, float) else self._rates[path]
        if math.isnan(rate):
            raise RecordError(f"Its sampling rate in column '{part.rate}' is none.")
        if not self.description.cohort.one_file:
            return read_array(self.root / path, part, rate, None)
        file, _, row = path.rpartition("/")
        if not row.isdecimal():
            raise RecordError(f"Its row in column '{part.row}' is no whole number.")
        return read_array(self.root / file, part, rate, int(row))

    @cached_property
    def _rates(self) -> dict[str, float]:
        """Sampling rate at each path."""
        part = self.description.array
        assert part is not None  # noqa: S101
        rates = pd.to_numeric(self._cells[str(part.rate)], errors="coerce")
        usable = rates.where((rates > 0) & (rates <= HIGHEST_RATE)).astype("float64")
        return dict(zip(self._paths_of(self._cells), usable, strict=True))

    def _look_at_arrays(self) -> None:
        """Refuse axes, numbers and a unit that cannot be right, once."""
        if "_arrays_seen" in vars(self):
            return
        part, paths = self.description.array, self.index()["path"]
        assert part is not None  # noqa: S101
        if self.description.cohort.one_file:
            file = self.root / self.description.cohort.signals
            there = rows_of_array(file, part)
            if part.row is None and there != len(self._cells):
                raise UsageError(
                    f"{file} has {there:,} recordings and {self._index_file()} {len(self._cells):,} rows; "
                    "name the column with the position of each recording, counted from 0, as array.row."
                )
        looked_at: list[DigitalRecording] = []
        for path in paths.iloc[:: max(1, len(paths) // SAMPLE)]:
            try:
                looked_at.append(self._array(path))
            except RecordError:
                continue
        check_unit(looked_at, part)
        self._arrays_seen = True


def _from_statements(
    description: Description, file: Path, cells: pd.DataFrame, taken: Collection[str]
) -> labels.Said:
    part = description.labels.statements
    assert part is not None  # noqa: S101
    vocabulary = read_vocabulary(file.parent, part.vocabulary)
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
    rates = description.array.rate if description.array else None
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
