"""A prepared cohort: one HDF5 file, from which everything after `cohorts.preparing` streams.

The layout of the file is described where it is written, in `cohorts.store_writing`.
"""

from __future__ import annotations

import functools
import zlib
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Self

import h5py
import numpy as np
import numpy.typing as npt
import pandas as pd

from cohorts.cohort import CohortCard
from cohorts.labelled import Labelled
from cohorts.recording import STANDARD_LEADS, Counts, Recording, millivolts
from cohorts.store_file import SharedFile, check_tables, read_fact, read_json, read_numbers

_TEXTS = ("record_id", "patient_id", "sex", "statements", "report", "path")


class Store:
    """A prepared cohort, read-only.

    Its file stays open, so that all that it gives is of one preparation, even if the cohort is prepared again
    meanwhile. It may be pickled and forked: each process opens the file for itself and makes sure that it is
    the same store.

    Parameters
    ----------
    path
        A file that `cohorts.preparing` wrote.

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


Rows = npt.NDArray[np.intp]


def rows_of(store: Labelled, part: str) -> Rows:
    """Positions of the ``"training"``, ``"validation"`` or ``"test"`` records of a store."""
    folds = getattr(store.card.folds, part) if store.card.folds is not None else ()
    member = store.index["fold"].isin(folds).fillna(False).to_numpy(dtype=bool)
    return np.flatnonzero(member)


Stores = Callable[[str], Store | None]
"""Gives the prepared cohort of an id, None where the release is not on this machine."""
