"""Prepared cohorts: one HDF5 file each, from which everything after `prepare` streams.

The layout of the file is described where it is written, in `cohorts.store_writing`.
"""

from __future__ import annotations

import functools
import hashlib
import os
import shutil
import zlib
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Self

import h5py
import numpy as np
import numpy.typing as npt
import pandas as pd

from cohorts.catalogue import introduce
from cohorts.cohort import Cohort, CohortCard
from cohorts.errors import LeadboardError
from cohorts.interrupts import interruptible
from cohorts.labelled import Labelled
from cohorts.locks import ANOTHER_CACHE, alone
from cohorts.ontology.labelling import hash_of_labelling
from cohorts.ontology.ontology import Ontology, load_ontology
from cohorts.recording import STANDARD_LEADS, Counts, Recording, millivolts
from cohorts.store_file import (
    DamagedStoreError,
    SharedFile,
    cannot_write,
    check_tables,
    open_file,
    read_fact,
    read_json,
    read_numbers,
)
from cohorts.store_staleness import Stamp, stamp_of
from cohorts.store_writing import Progress, write_labels, write_statements, write_store

_TEXTS = ("record_id", "patient_id", "sex", "statements", "report", "path")


class Store:
    """A prepared cohort, read-only.

    Its file stays open, so that all that it gives is of one preparation, even if the cohort is prepared again
    meanwhile. It may be pickled and forked: each process opens the file for itself and makes sure that it is
    the same store.

    Parameters
    ----------
    path
        A file that `prepare` wrote.

    Raises
    ------
    LeadboardError
        If it is missing or of another version; later, if the file had to be opened again and another store
        lies there.
    DamagedStoreError
        If it is damaged; so does everything that reads a table or a signal later.
    """

    def __init__(self, path: Path) -> None:
        self.path = Path(path)
        self.file = SharedFile(self.path)
        self._seen = 0  # openings of the file
        try:
            self.file.read(self._read_facts)
        except BaseException:
            self.close()
            raise

    def _read_facts(self, file: h5py.File) -> None:
        self.fingerprint, self.ontology_hash, self.ontology_version, self.stamp = (
            read_fact(file, name) for name in ("fingerprint", "ontology_hash", "ontology_version", "stamp")
        )
        self.recordings = self.fingerprint
        self.card = CohortCard.model_validate_json(read_fact(file, "card"))
        signals = file["signals"]
        self.lengths: npt.NDArray[np.int64] = read_numbers(signals, "length")
        self.rates: npt.NDArray[np.float64] = read_numbers(signals, "rate")
        self._offsets: npt.NDArray[np.int64] = read_numbers(signals, "offset")
        self._sums: npt.NDArray[np.uint32] = read_numbers(signals, "crc32")
        self._gain: npt.NDArray[np.float64] = read_numbers(signals, "gain")
        self._baseline: npt.NDArray[np.float64] = read_numbers(signals, "baseline")

    def check(self, *, signals: bool = False) -> None:
        """Compare every table with its sum, and every signal if asked; they are compared when read, too."""
        self.file.read(lambda file: check_tables(file, besides="counts"))
        for position in range(len(self) if signals else 0):
            self.counts(position)

    def __len__(self) -> int:
        return len(self.lengths)

    def __reduce__(self) -> tuple[type[Self], tuple[Path], tuple[str, ...] | None]:
        return type(self), (self.path,), self.file.facts

    def __setstate__(self, facts: tuple[str, ...]) -> None:
        """Make sure that another process has opened the same store."""
        self.close()
        self.file.facts = facts
        self.file.read(lambda file: None)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the file; reading opens it again."""
        self.file.close()

    @functools.cached_property
    def index(self) -> pd.DataFrame:
        """The cohort's index without the quarantined records, in the order of the signals."""

        def read(file: h5py.File) -> pd.DataFrame:
            table = file["index"]
            fold = read_numbers(table, "fold")
            texts = {name: read_json(table, name) for name in _TEXTS}
            return pd.DataFrame(
                {
                    "record_id": pd.Series(texts["record_id"], dtype="str"),
                    "patient_id": pd.Series(texts["patient_id"], dtype="str"),
                    "age": read_numbers(table, "age"),
                    "sex": pd.Series(texts["sex"], dtype="str"),
                    "fold": pd.Series(fold, dtype="Int64").mask(fold < 0),
                    "statements": pd.Series([tuple(codes) for codes in texts["statements"]], dtype="object"),
                    "report": pd.Series(texts["report"], dtype="str"),
                    "path": pd.Series(texts["path"], dtype="str"),
                }
            )

        return self.file.read(read)

    @functools.cached_property
    def labels(self) -> pd.DataFrame:
        """int8 ``[records, concepts]``: 1 positive, 0 negative, -1 not annotated here."""
        return self.file.read(
            lambda file: pd.DataFrame(read_numbers(file, "labels"), columns=read_json(file, "concepts"))
        )

    @functools.cached_property
    def quarantine(self) -> pd.DataFrame:
        """Records of the release that cannot be used: ``record_id`` and ``reason``."""

        def read(file: h5py.File) -> pd.DataFrame:
            columns = {name: read_json(file["quarantine"], name) for name in ("record_id", "reason")}
            return pd.DataFrame({name: pd.Series(texts, dtype="str") for name, texts in columns.items()})

        return self.file.read(read)

    @functools.cached_property
    def warnings(self) -> tuple[str, ...]:
        """What `prepare` found odd about the release, one sentence each."""
        return self.file.read(lambda file: (*read_json(file, "warnings"), *read_json(file, "unknown_codes")))

    def counts(self, position: int) -> Counts:
        """Give the stored counts of one record, int16 ``[12, samples]``, standard leads."""
        start, length = int(self._offsets[position]), int(self.lengths[position])
        return self.file.read(lambda file: self._counts(file, position, start, length))

    def _counts(self, file: h5py.File, position: int, start: int, length: int) -> Counts:
        if self._seen != self.file.openings:
            self._seen, self._checked = self.file.openings, np.zeros(len(self), bool)
            self._signals = file["signals/counts"]
        leads = len(STANDARD_LEADS)
        counts: Counts = self._signals[start : start + leads * length].reshape(leads, length)
        # Once for each opening of the file: an epoch of a training need not look again.
        if not self._checked[position] and zlib.crc32(counts.data) != self._sums[position]:
            record_id = read_json(file["index"], "record_id")[position]
            raise ValueError(
                f"the signal of record {record_id} of {self.card.name} does not fit its checksum"
            )
        self._checked[position] = True
        return counts

    def recording(self, position: int) -> Recording:
        """Give one record in mV, all twelve standard leads at its native rate; missing samples are NaN."""
        signal = millivolts(self.counts(position), self._gain[position], self._baseline[position])
        return Recording(signal, float(self.rates[position]), STANDARD_LEADS)


def prepare(
    cohort: Cohort,
    cache: Path,
    *,
    progress: Progress | None = None,
    say: Callable[[str], None] = lambda sentence: None,
) -> Store:
    """Turn a release into its store, or open the one that is there if it is up to date.

    A store is up to date while names, sizes and modification times of the release's files, and this
    package's reading code, are those it was written from. If only the ontology has changed, the
    labels alone are made again. A store whose tables do not fit their sums is made again too, and that is
    said; so is one in which damage is found later, while it is read. The file appears complete or not at
    all, and two processes that prepare the same cohort take turns.

    Parameters
    ----------
    cohort
        The release on disk.
    cache
        Stores lie in its folder ``stores``.
    progress
        Called with (records done, records in all) while signals are read.
    say
        Called with one sentence if a damaged store is made again.

    Raises
    ------
    LeadboardError
        If the store cannot be written.
    """
    path = _store_path(cohort, cache)
    introduce(cohort)
    with interruptible() as check:
        stamp = stamp_of(cohort)
        store, _ = _up_to_date(path, stamp)
        if store is None or _other_labels(store, cohort, load_ontology()):
            _write(path, cohort, stamp, progress, say, check)
            store = Store(path)
    store.file.make_again = functools.partial(_make_again, path, cohort.anew(), say)
    return store


def _make_again(path: Path, cohort: Cohort, say: Callable[[str], None]) -> None:
    """Write a store in which damage was found while it was read."""
    with interruptible() as check:
        _write(path, cohort.anew(), stamp_of(cohort), None, say, check, signals=True)


def _write(
    path: Path,
    cohort: Cohort,
    stamp: Stamp,
    progress: Progress | None,
    say: Callable[[str], None],
    check: Callable[[], None],
    *,
    signals: bool = False,
) -> None:
    """Write a store, or the part of it that is not up to date, unless somebody else just did.

    Parameters
    ----------
    signals
        Whether those of the store that is there are in doubt, and looked at before it is kept.
    """
    partial = path.with_suffix(".partial")
    with cannot_write(path), alone(path.with_suffix(".lock"), f"preparing {cohort.card.name}", ANOTHER_CACHE):
        partial.unlink(missing_ok=True)  # of a process that was killed
        ontology = load_ontology()
        store, damage = _up_to_date(path, stamp, signals=signals)
        if damage:
            say(f"The store of {cohort.card.name}, {path}, was damaged ({damage}) and is made again.")
        try:
            if store is None:
                write_store(partial, cohort, ontology, stamp, progress, check)
                partial.replace(path)
            elif _other_labels(store, cohort, ontology):
                _relabel(store, partial, ontology, cohort, stamp)
                partial.replace(path)
        finally:
            partial.unlink(missing_ok=True)


def find_store(cohort: Cohort, cache: Path) -> Store | None:
    """Give the store of a release as `prepare` left it, or None; nothing is read from the release."""
    try:
        return Store(_store_path(cohort, cache))
    except LeadboardError:
        return None


def why_outdated(cohort: Cohort, cache: Path) -> str:
    """Say why `prepare` would make a release's store again; empty where it would not, or there is none."""
    path = _store_path(cohort, cache)
    if not path.exists():
        return ""
    introduce(cohort)
    try:
        with Store(path) as store:
            if store.stamp != stamp_of(cohort).digest:
                return "the release, or the code that reads it, has changed since"
            store.check()
            other = _other_labels(store, cohort, load_ontology())
    except DamagedStoreError:
        return "damaged"
    except LeadboardError:
        return "of another version"
    return "its labels are of another ontology" if other else ""


def _store_path(cohort: Cohort, cache: Path) -> Path:
    place = hashlib.sha256(os.fsencode(cohort.root.resolve())).hexdigest()[:8]
    name = "-".join(part for part in (cohort.card.id, cohort.variant, place) if part)
    return Path(cache) / "stores" / f"{name}.h5"


def _other_labels(store: Store, cohort: Cohort, ontology: Ontology) -> bool:
    """Whether a store whose signals are up to date has labels that are not."""
    labelling = hash_of_labelling(ontology.label_hashes(cohort.card.id, cohort.card.vocabulary))
    if store.ontology_hash != labelling:
        return True
    return cohort.labels_apart and not store.index["statements"].equals(
        _index_of(store, cohort)["statements"]
    )


def _index_of(store: Store, cohort: Cohort) -> pd.DataFrame:
    """What a cohort says now of the records of a store."""
    index = cohort.index()
    return index[index["record_id"].isin(store.index["record_id"])].reset_index(drop=True)


def _up_to_date(path: Path, stamp: Stamp, *, signals: bool = False) -> tuple[Store | None, str]:
    """Give the store at this path, or None if it cannot be used; and what is damaged, if that is why."""
    try:
        store = Store(path)
        if store.stamp != stamp.digest:
            return None, ""
        store.check(signals=signals)
    except DamagedStoreError as error:
        return None, error.damage
    except LeadboardError:  # none there, or one of another version
        return None, ""
    return store, ""


def _relabel(store: Store, partial: Path, ontology: Ontology, cohort: Cohort, stamp: Stamp) -> None:
    """Copy a store with labels made again from its statements, or from new ones if these lie apart."""
    shutil.copyfile(store.path, partial)
    index = _index_of(store, cohort) if cohort.labels_apart else store.index
    with open_file(partial, "r+") as file:
        if cohort.labels_apart:
            write_statements(file, cohort, index, stamp)
        write_labels(file, index["statements"].tolist(), ontology, store.card.id, store.card.vocabulary)


Rows = npt.NDArray[np.intp]


def rows_of(store: Labelled, part: str) -> Rows:
    """Positions of the ``"training"``, ``"validation"`` or ``"test"`` records of a store."""
    folds = getattr(store.card.folds, part) if store.card.folds is not None else ()
    member = store.index["fold"].isin(folds).fillna(False).to_numpy(dtype=bool)
    return np.flatnonzero(member)


Stores = Callable[[str], Store | None]
"""Gives the prepared cohort of an id, None where the release is not on this machine."""
