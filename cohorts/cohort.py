"""The adapter base: what a release is, who is in it, and how one of its recordings is read.

A release is one subclass with a card and one short hook, `Cohort._read_index`. What must never be
forgotten (types, uniqueness, order, clean text, paths that stay in their folder) is done here.
"""

from __future__ import annotations

import copy
import math
import traceback
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from types import MappingProxyType
from typing import Any, ClassVar, Literal, Self

import pandas as pd
from pydantic import BaseModel, ConfigDict, Field, model_validator

from cohorts.errors import LeadboardError, RecordError, UsageError
from cohorts.formats.wfdb_files import read_record
from cohorts.index import OLDEST, Index, Sex, tabulated
from cohorts.index import IndexRow as IndexRow  # an adapter finds here all that it needs
from cohorts.index import Unreadable as Unreadable
from cohorts.index import parse_age as parse_age
from cohorts.recording import DigitalRecording
from cohorts.release import Release
from cohorts.release_files import ReleaseFiles, is_foreign

MARKER = "SIMULATED.txt"
"""Name of the file by which a simulated release is recognised."""


class Folds(BaseModel):
    """The release's own split, by fold number."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    training: tuple[int, ...]
    validation: tuple[int, ...]
    test: tuple[int, ...]


class CohortCard(BaseModel):
    """The facts of a release.

    Attributes
    ----------
    access
        ``"open"``; ``"credentialed"`` where the publisher asks for an agreement first; ``"private"`` for
        recordings of a hospital, of which nothing about a single record leaves the machine.
    url
        The publisher's page of exactly this release.
    vocabulary
        Vocabulary of the ontology that its statements are written in; by default one of the cohort's own.
    folder
        Where it lies below the data root; by default the id.
    records
        Records of the whole release; None for a cohort that is what lies here.
    sampling_rates
        In Hz, the default first; empty where ``records`` is None and only the recordings say it.
    folds
        None where the release has no split of its own.
    signal_note
        What the publisher did to the signals that a reader of their amplitudes must know; empty as a rule.
    readings
        Other vocabularies of the ontology that read the same statements, by the name of the reading.
    english_reports
        Whether its reports are written in English, whatever its country.
    copy_of
        Id of the cohort that this one is a renamed copy of, or other labels for; the two never take part
        in one run.
    overlaps
        Ids of other cohorts that hold some of the same recordings.
    simulated
        True for synthetic recordings.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: str = Field(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$")
    name: str
    version: str
    licence: str
    access: Literal["open", "credentialed", "private"] = "open"
    url: str
    citation: str
    vocabulary: str = Field(default_factory=lambda facts: str(facts.get("id", "")))
    folder: str = Field(default_factory=lambda facts: str(facts.get("id", "")))
    records: int | None = Field(default=None, gt=0)
    sampling_rates: tuple[float, ...] = ()
    country: str
    folds: Folds | None = None
    signal_note: str = ""
    readings: Mapping[str, str] = Field(default_factory=dict)
    english_reports: bool = False
    copy_of: str | None = None
    overlaps: tuple[str, ...] = ()
    simulated: bool = False

    @model_validator(mode="after")
    def _states_its_rates(self) -> Self:
        if self.records is not None and not self.sampling_rates:
            raise ValueError("a release of known size has a known sampling rate")
        return self


class Cohort(ABC):
    """One release on this machine.

    Parameters
    ----------
    root
        The release's folder.
    """

    card: CohortCard
    release: ClassVar[Release | None] = None
    """How it is published; None where nobody can fetch it for the user."""
    declared_gain: ClassVar[float | None] = None
    """Counts per mV that every header of the release is known to declare."""

    sexes: ClassVar[Mapping[str, Sex]] = MappingProxyType({})
    """The release's own codes for the sexes, where it has no words."""

    labels_apart: ClassVar[bool] = False
    """Whether what is stated of its records may change while the recordings stay what they are.

    Then a change of the statements alone makes no recording stale, so `states` must not speak of them.
    """
    own_codes: ClassVar[Path | Sequence[Sequence[str]]] = ()
    """What its codes mean where no vocabulary of the ontology says so, for this cohort alone.

    Rows of code, name, concept, relation and note, or a CSV file with these columns. They stand in place of
    the rows that the card's vocabulary has for the same code, if the ontology has this vocabulary.
    """
    annotates: ClassVar[Mapping[str, str]] = MappingProxyType({})
    """Concept -> why silence about it means no, where the ontology's coverage has no row for this cohort."""
    own_questions: ClassVar[Sequence[tuple[str, str, str]]] = ()
    """Questions that a record may leave open: concepts, what answers them, and the reason, as the ontology's
    ``questions.csv`` has them."""

    def __init__(self, root: Path) -> None:
        self.root = Path(root)
        if (self.root / MARKER).is_file():
            # A class attribute is shadowed on purpose: everything that reads the card sees the mark.
            self.card = self.card.model_copy(update={"simulated": True})

    def anew(self) -> Self:
        """Give the release as if it had just been opened: nothing that was read of it is kept."""
        other = copy.copy(self)
        for name in ("_index", "_paths"):
            vars(other).pop(name, None)
        return other

    @classmethod
    def found(cls, root: Path) -> bool:
        """Whether ``root`` holds at least one header of this release."""
        try:
            return any(name.endswith(".hea") for name, _ in ReleaseFiles(root))
        except (FileNotFoundError, NotADirectoryError):
            return False
        except PermissionError as error:  # of a folder in it, which the index tells
            return bool(error.filename != str(root))

    @property
    def variant(self) -> str:
        """Which form of the release this is, where there are several (part of the store's name)."""
        return ""

    def source_paths(self) -> tuple[Path, ...]:
        """Files and folders whose content decides what this cohort is."""
        return (self.root,)

    def states(self) -> str:
        """Hash what else decides what this cohort is, beside `source_paths`; empty as a rule."""
        return ""

    def warnings(self) -> tuple[str, ...]:
        """Say what is odd about the release as it lies here, one sentence each; `prepare` keeps them."""
        return ()

    def examples(self) -> Mapping[str, tuple[str, ...]]:
        """Give ids of records by the warning that is about them; nothing but the first look shows them."""
        return {}

    def index(self) -> pd.DataFrame:
        """One row a record that can be indexed, sorted by ``record_id``.

        Returns
        -------
        pandas.DataFrame
            ``record_id`` (unique), ``patient_id`` (or NA), ``age`` (years, NaN unless above 0 and at
            most 120), ``sex`` ("female", "male" or NA), ``fold`` (Int64), ``statements`` (tuple of
            native codes, each once), ``report`` (or NA), ``path`` (relative to the root, with "/").
        """
        return self._index.table.copy(deep=False)

    @property
    def unreadable(self) -> pd.DataFrame:
        """Records that are not in the index: ``record_id`` and ``reason``."""
        return self._index.unreadable

    @property
    def unknown_sexes(self) -> Mapping[str, int]:
        """What the release writes as a sex and nobody understands, and in how many records of the index."""
        return self._index.unknown_sexes

    @property
    def odd_ages(self) -> Mapping[float, int]:
        """Ages that the release writes and nobody has, and in how many records of the index."""
        return Counter(age for age in self._index.ages if not (0 < age <= OLDEST or math.isnan(age)))

    @cached_property
    def _index(self) -> Index:
        try:
            with _told(self, LeadboardError):
                listed = list(self._read_index())
        except OSError as error:
            raise UsageError(f"{error.filename} cannot be read ({error.strerror}).") from None
        return tabulated(listed, self.sexes)

    def read(self, record: str | pd.Series[Any]) -> DigitalRecording:
        """Read one recording in its native form, given its id or its row of the index.

        Raises
        ------
        UsageError
            If there is no such id.
        RecordError
            If the recording cannot be read.
        """
        if isinstance(record, pd.Series):
            return self.read_path(str(record["path"]))
        found = self._paths.get(record)
        if found is None:
            raise UsageError(f"{self.card.name} in {self.root} has no record '{record}'.")
        return self.read_path(found)

    @cached_property
    def _paths(self) -> dict[str, str]:
        index = self.index()
        return dict(zip(index["record_id"], index["path"], strict=True))

    def read_path(self, path: str) -> DigitalRecording:
        """Read the recording at a ``path`` of the index."""
        names = path.split("/")
        if path.startswith("/") or ".." in names or "\\" in path:
            raise RecordError(f"The path '{path}' leaves the release's folder.")
        if any(map(is_foreign, names)):
            raise RecordError(f"The path '{path}' is that of a hidden file, which is no part of a release.")
        try:
            with _told(self, RecordError):
                return self._read_signal(self.root / path)
        except OSError as error:
            raise RecordError(f"{Path(path).name} cannot be read ({error.strerror or error}).") from None

    @abstractmethod
    def _read_index(self) -> Iterator[IndexRow | Unreadable]:
        """Yield every record that the release lists, in a fixed order: the first of an id is used."""

    def _read_signal(self, path: Path) -> DigitalRecording:
        """Read the signal at a path of the index; a WFDB header by default."""
        return read_record(path)


@contextmanager
def _told(cohort: Cohort, kind: type[LeadboardError]) -> Iterator[None]:
    """Turn what the class of a stranger raises by mistake into one sentence; of ours it is a bug to be seen.

    The words of the exception are left out: they may be a patient's.
    """
    try:
        yield
    except (OSError, LeadboardError):
        raise
    except Exception as error:
        if type(cohort).__module__.startswith("cohorts."):
            raise
        frame = traceback.extract_tb(error.__traceback__)[-1]
        place = f"{Path(frame.filename).name}:{frame.lineno}"
        raise kind(
            f"The class of {cohort.card.name} raised {type(error).__name__} at {place}; correct it."
        ) from error
