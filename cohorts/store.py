"""Prepared cohorts: one HDF5 file each, from which everything after `prepare` streams.

The layout of the file is described where it is written, in `cohorts.store_writing`.
"""

from __future__ import annotations

import fcntl
import functools
import hashlib
import inspect
import json
import os
import re
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import h5py
import numpy as np
import numpy.typing as npt
import pandas as pd

from cohorts.cohort import Cohort, CohortCard
from cohorts.errors import LeadboardError, UsageError
from cohorts.hashing import ROOT, code_hash, hash_of_files, imported_files
from cohorts.labelled import Labelled
from cohorts.ontology.ontology import Ontology, hash_of_labelling, load_ontology
from cohorts.recording import STANDARD_LEADS, Counts, Recording, millivolts
from cohorts.store_writing import FORMAT, Progress, write_labels, write_store


class Store:
    """A prepared cohort, read-only.

    It may be pickled and forked: each process opens the file for itself when it first reads a signal.

    Parameters
    ----------
    path
        A file that `prepare` wrote.

    Raises
    ------
    LeadboardError
        If it is missing, damaged or of another version.
    """

    def __init__(self, path: Path) -> None:
        self.path = Path(path)
        self._opened: tuple[int, Any] | None = None
        with self._file() as file:
            if file.attrs["format"] != FORMAT:
                raise LeadboardError(
                    f"{path} has the layout of another version; delete it and prepare it again."
                )
            self.fingerprint = self.recordings = str(file.attrs["fingerprint"])
            self.ontology_hash = str(file.attrs["ontology_hash"])
            self.ontology_version = str(file.attrs["ontology_version"])
            self.stamp = str(file.attrs["stamp"])
            self.card = CohortCard.model_validate_json(file.attrs["card"])
            signals = file["signals"]
            self.lengths: npt.NDArray[np.int64] = signals["length"][:]
            self.rates: npt.NDArray[np.float64] = signals["rate"][:]
            self._offsets: npt.NDArray[np.int64] = signals["offset"][:]
            self._gain: npt.NDArray[np.float64] = signals["gain"][:]
            self._baseline: npt.NDArray[np.float64] = signals["baseline"][:]

    @contextmanager
    def _file(self) -> Iterator[h5py.File]:
        """Open the file for a look at its tables."""
        with _damage_told(self.path), _open(self.path) as file:
            yield file

    def __len__(self) -> int:
        return len(self.lengths)

    def __reduce__(self) -> tuple[type[Self], tuple[Path]]:
        return type(self), (self.path,)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the file; reading a signal opens it again."""
        if self._opened is not None and self._opened[0] == os.getpid():
            self._opened[1].file.close()
        self._opened = None

    @functools.cached_property
    def index(self) -> pd.DataFrame:
        """The cohort's index without the quarantined records, in the order of the signals."""
        with self._file() as file:
            table = file["index"]
            columns = {name: _read_text(table[name]) for name in ("patient_id", "sex", "report")}
            fold = table["fold"][:]
            return pd.DataFrame(
                {
                    "record_id": pd.Series(_read_text(table["record_id"]), dtype="str"),
                    "patient_id": pd.Series([text or None for text in columns["patient_id"]], dtype="str"),
                    "age": table["age"][:],
                    "sex": pd.Series([text or None for text in columns["sex"]], dtype="str"),
                    "fold": pd.Series(fold, dtype="Int64").mask(fold < 0),
                    "statements": pd.Series(
                        [tuple(json.loads(text)) for text in _read_text(table["statements"])], dtype="object"
                    ),
                    "report": pd.Series([text or None for text in columns["report"]], dtype="str"),
                    "path": pd.Series(_read_text(table["path"]), dtype="str"),
                }
            )

    @functools.cached_property
    def labels(self) -> pd.DataFrame:
        """int8 ``[records, concepts]``: 1 positive, 0 negative, -1 not annotated here."""
        with self._file() as file:
            return pd.DataFrame(file["labels"][:], columns=_read_text(file["concepts"]))

    @functools.cached_property
    def quarantine(self) -> pd.DataFrame:
        """Records of the release that cannot be used: ``record_id`` and ``reason``."""
        with self._file() as file:
            table = file["quarantine"]
            names = ("record_id", "reason")
            return pd.DataFrame({name: pd.Series(_read_text(table[name]), dtype="str") for name in names})

    @functools.cached_property
    def warnings(self) -> tuple[str, ...]:
        """What `prepare` found odd about the release, one sentence each."""
        with self._file() as file:
            return (*_read_text(file["warnings"]), *_read_text(file["unknown_codes"]))

    def counts(self, position: int) -> Counts:
        """Give the stored counts of one record, int16 ``[12, samples]``, standard leads."""
        start, length = int(self._offsets[position]), int(self.lengths[position])
        leads = len(STANDARD_LEADS)
        with _damage_told(self.path):
            opened = self._opened
            if opened is None or opened[0] != os.getpid():
                opened = self._opened = (os.getpid(), _open(self.path)["signals/counts"])
            counts: Counts = opened[1][start : start + leads * length].reshape(leads, length)
        return counts

    def recording(self, position: int) -> Recording:
        """Give one record in mV, all twelve standard leads at its native rate; missing samples are NaN."""
        signal = millivolts(self.counts(position), self._gain[position], self._baseline[position])
        return Recording(signal, float(self.rates[position]), STANDARD_LEADS)


def _open(path: Path) -> h5py.File:
    # Without a chunk cache a slice is read straight into the result. Locks fail on some network disks.
    return h5py.File(path, "r", rdcc_nbytes=0, locking=False)


@contextmanager
def _damage_told(path: Path) -> Iterator[None]:
    """Tell whatever h5py and a damaged file raise between them as one sentence."""
    try:
        yield
    except FileNotFoundError:
        raise LeadboardError(f"{path} is not there; prepare the cohort first.") from None
    except (OSError, KeyError, ValueError, TypeError, RuntimeError) as error:
        raise LeadboardError(f"{path} is damaged ({error}); delete it and prepare it again.") from None


def _read_text(dataset: h5py.Dataset) -> list[str]:
    return [str(text) for text in dataset.asstr()[:]]


def prepare(cohort: Cohort, cache: Path, *, progress: Progress | None = None) -> Store:
    """Turn a release into its store, or open the one that is there if it is up to date.

    A store is up to date while names, sizes and modification times of the release's files, and this
    package's reading code, are those it was written from. If only the ontology has changed, the
    labels alone are made again. The file appears complete or not at all, and two processes that
    prepare the same cohort take turns.

    Parameters
    ----------
    cohort
        The release on disk.
    cache
        Stores lie in its folder ``stores``.
    progress
        Called with (records done, records in all) while signals are read.

    Raises
    ------
    LeadboardError
        If the store cannot be written.
    """
    path = _store_path(cohort, cache)
    folder, name, partial = path.parent, path.stem, path.with_suffix(".partial")
    ontology = load_ontology()
    labelling = hash_of_labelling(ontology.label_hashes(cohort.card.id, cohort.card.vocabulary))
    stamp = _stamp(cohort)
    store = _opened(path, stamp)
    if store is not None and store.ontology_hash == labelling:
        return store  # without the lock: the cache may be somebody else's, read-only
    with _cannot_write(path), _only_one(folder, name):
        partial.unlink(missing_ok=True)  # of a process that was killed
        store = _opened(path, stamp)
        try:
            if store is None:
                write_store(partial, cohort, ontology, stamp, progress)
                partial.replace(path)
            elif store.ontology_hash != labelling:
                _relabel(store, partial, ontology)
                partial.replace(path)
        finally:
            partial.unlink(missing_ok=True)
    return Store(path)


def find_store(cohort: Cohort, cache: Path) -> Store | None:
    """Give the store of a release as `prepare` left it, or None; nothing is read from the release."""
    try:
        return Store(_store_path(cohort, cache))
    except LeadboardError:
        return None


def _store_path(cohort: Cohort, cache: Path) -> Path:
    place = hashlib.sha256(os.fsencode(cohort.root.resolve())).hexdigest()[:8]
    name = "-".join(part for part in (cohort.card.id, cohort.variant, place) if part)
    return Path(cache) / "stores" / f"{name}.h5"


def _opened(path: Path, stamp: str) -> Store | None:
    """Give the store at this path, or None if there is none that can be used."""
    try:
        store = Store(path)
    except LeadboardError:
        return None
    return store if store.stamp == stamp else None


def _relabel(store: Store, partial: Path, ontology: Ontology) -> None:
    """Copy a store with labels made again from its statements."""
    shutil.copyfile(store.path, partial)
    with h5py.File(partial, "r+") as file:
        write_labels(file, store.index["statements"].tolist(), ontology, store.card.id, store.card.vocabulary)


@contextmanager
def _only_one(folder: Path, name: str) -> Iterator[None]:
    """Hold the lock of one store; the kernel releases it when the process ends in whatever way."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


@contextmanager
def _cannot_write(path: Path) -> Iterator[None]:
    """Tell a full or read-only disk as such; HDF5 hides the system's error number in its message."""
    try:
        yield
    except (OSError, RuntimeError) as error:
        number = re.search(r"errno = (\d+)", str(error))
        if isinstance(error, RuntimeError) and number is None:
            raise
        reason = os.strerror(int(number[1])) if number else getattr(error, "strerror", None) or str(error)
        raise LeadboardError(
            f"The store {path} cannot be written ({reason}); free some space, or choose another cache folder "
            "with LEADBOARD_CACHE."
        ) from error


def _stamp(cohort: Cohort) -> str:
    """Hash what a change of the release or of the code that reads it would change; no file is read."""
    decides = (FORMAT, reading_code(type(cohort)), cohort.variant, cohort.card.simulated)
    digest = hashlib.sha256(" ".join(map(str, decides)).encode())
    try:
        for source in cohort.source_paths():
            for line in _listing(source, source.name):
                digest.update(os.fsencode(line))
    except OSError as error:
        raise UsageError(
            f"{error.filename} cannot be read ({error.strerror}); is {cohort.root} complete?"
        ) from None
    return digest.hexdigest()


def _listing(path: Path, name: str) -> Iterator[str]:
    """Yield name, size and modification time of a file or of all files below a folder, sorted."""
    if not path.is_dir():
        status = path.stat()
        yield f"{name} {status.st_size} {status.st_mtime_ns}\n"
        return
    with os.scandir(path) as entries:
        found = sorted(entries, key=lambda entry: entry.name)
    for entry in found:
        if entry.is_dir(follow_symlinks=False):
            yield from _listing(path / entry.name, f"{name}/{entry.name}")
        else:
            status = entry.stat(follow_symlinks=False)
            yield f"{name}/{entry.name} {status.st_size} {status.st_mtime_ns}\n"


READING_ROOMS = (
    "cohorts/formats",
    "cohorts/cohort.py",
    "cohorts/recording.py",
    "cohorts/store.py",
    "cohorts/store_writing.py",
)
"""The code that decides what any store holds; a cohort's own file and its family come with it."""


@functools.cache
def reading_code(cohort: type[Cohort], root: Path = ROOT) -> str:
    """Hash the code that reads a cohort; that of other cohorts is not in it."""
    own = Path(inspect.getfile(cohort)).resolve()
    own = root / own.relative_to(ROOT) if own.is_relative_to(ROOT) else own
    shared = imported_files(own, "cohorts.families", root) - {own}
    return " ".join(
        (code_hash(*READING_ROOMS, root=root), hash_of_files([own], own.parent), hash_of_files(shared, root))
    )


Rows = npt.NDArray[np.intp]


def rows_of(store: Labelled, part: str) -> Rows:
    """Positions of the ``"training"``, ``"validation"`` or ``"test"`` records of a store."""
    folds = getattr(store.card.folds, part) if store.card.folds is not None else ()
    member = store.index["fold"].isin(folds).fillna(False).to_numpy(dtype=bool)
    return np.flatnonzero(member)


Stores = Callable[[str], Store | None]
"""Gives the prepared cohort of an id, None where the release is not on this machine."""
