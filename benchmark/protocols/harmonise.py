"""From a recording of any release to the array that a model asked for."""

from __future__ import annotations

from collections import deque
from collections.abc import Generator, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
import pandas as pd

from benchmark.models.contract import Batch, Floats
from benchmark.models.model_card import InputSpec
from benchmark.protocols.inputs import Inputs
from benchmark.protocols.reading_ahead import ahead
from cohorts.recording import MV_PER_UNIT, Recording, select_leads
from cohorts.resampling import resample


def harmonise(recording: Recording, spec: InputSpec) -> Floats:
    """Bring a whole recording to the leads, rate and unit of ``spec``.

    Samples marked as missing become 0 mV before the resampling filter can spread them. The signal of a
    recording that is as asked is given back itself.

    Returns
    -------
    float32 ``[leads, samples]``
    """
    signal = select_leads(recording, spec.leads).signal
    if np.isnan(signal.min(initial=0.0)):
        signal = np.nan_to_num(signal, nan=0.0)
    if recording.sampling_rate != spec.sampling_rate:
        signal = resample(signal, recording.sampling_rate, spec.sampling_rate)
    scale = MV_PER_UNIT[spec.unit]
    return signal if scale == 1.0 else (signal / scale).astype(np.float32)


def window_starts(samples: int, spec: InputSpec) -> list[int]:
    """First samples of the windows that ``spec`` takes from a record of this length.

    A remainder of half a window or more becomes a padded last window of its own; a shorter one is
    left out, since a mostly empty window says little about the record.
    """
    window = spec.samples
    if samples <= window or spec.long_records == "first":
        return [0]
    if spec.long_records == "centre":
        return [(samples - window) // 2]
    whole, rest = divmod(samples, window)
    return [i * window for i in range(whole + (2 * rest >= window))]


def windows_of(signal: Floats, spec: InputSpec) -> Floats:
    """Cut ``[leads, samples]`` into ``[windows, leads, spec.samples]``, zero-padded at the end.

    A signal that is one whole window is not copied.
    """
    leads, samples = signal.shape
    if samples == spec.samples:
        return signal[None]
    starts = window_starts(samples, spec)
    windows = np.zeros((len(starts), leads, spec.samples), np.float32)
    for window, start in zip(windows, starts, strict=True):
        piece = signal[:, start : start + spec.samples]
        window[:, : piece.shape[1]] = piece
    return windows


BATCHES_AHEAD = 2

TOGETHER = 4
"""Records that a thread reads in one go: to hand over a single one takes a fifth as long as to read it."""


class RecordingSource(Protocol):
    """What a prepared cohort and a mock of one have in common: recordings, and what is known of them."""

    @property
    def index(self) -> pd.DataFrame:
        """One row a recording, with ``record_id``, ``age`` (years) and ``sex``."""

    @property
    def labels(self) -> pd.DataFrame:
        """int8 ``[records, concepts]``: 1 positive, 0 negative, -1 not annotated."""

    def recording(self, position: int) -> Recording:
        """Give one recording in mV at its own rate; missing samples are NaN."""


class PreparedRecords:
    """Some records of a cohort, as a model asks for them.

    Parameters
    ----------
    store
        The prepared cohort.
    positions
        Which of its records, by row of ``store.index``.
    spec
        What the model asks for.
    concepts
        Columns of `labels`; all of the ontology if not given.
    workers
        Threads that read and resample ahead. Their number does not change any value.
    inputs
        Where windows are kept for other models that ask for the same; nowhere if not given.
    """

    def __init__(
        self,
        store: RecordingSource,
        positions: npt.NDArray[np.intp],
        spec: InputSpec,
        concepts: Sequence[str] | None = None,
        workers: int = 1,
        inputs: Inputs | None = None,
    ) -> None:
        self.store = store
        self.positions = positions
        self._concepts = concepts
        self._inputs = inputs
        self.spec = spec
        self.workers = workers
        self._shared = (inputs or Inputs(0)).of(store, spec)
        index = store.index.iloc[positions]
        self.record_ids: pd.Series[str] = index["record_id"].reset_index(drop=True)
        self._age = index["age"].to_numpy(dtype=np.float32, na_value=np.nan)
        self._sex = index["sex"].fillna("").to_numpy(dtype=np.str_)
        labels = store.labels if concepts is None else store.labels[list(concepts)]
        self.labels: pd.DataFrame = labels.iloc[positions].reset_index(drop=True)

    def __len__(self) -> int:
        return len(self.positions)

    def part(self, first: int, end: int) -> PreparedRecords:
        """Give the records from the ``first`` up to before the ``end``."""
        some = self.positions[first:end]
        return PreparedRecords(self.store, some, self.spec, self._concepts, self.workers, self._inputs)

    def _windows(self, position: int) -> Floats:
        """All windows of one record, ``[windows, leads, samples]``."""
        row = int(self.positions[position])
        return self._shared(row, lambda: self._read(row))

    def _read(self, row: int) -> Floats:
        return windows_of(harmonise(self.store.recording(row), self.spec), self.spec)

    def _batch(self, signals: Floats, rows: npt.NDArray[Any]) -> Batch:
        return Batch(np.ascontiguousarray(signals), self._age[rows], self._sex[rows])

    def batch(self, positions: Sequence[int] | npt.NDArray[np.integer[Any]]) -> Batch:
        """Records at these positions, the first window of each."""
        rows = np.asarray(positions, dtype=np.intp)
        signals = np.stack([self._windows(int(row))[0] for row in rows])
        return self._batch(signals, rows)

    def batches(self, size: int) -> Iterator[Batch]:
        """All records in order, the first window of each."""
        for start in range(0, len(self), size):
            yield self.batch(np.arange(start, min(start + size, len(self))))

    def window_batches(self, size: int) -> Iterator[tuple[Batch, npt.NDArray[np.intp]]]:
        """All windows of all records in order, and the record that each window belongs to.

        The next batches are read while the model is busy. Memory holds at most `BATCHES_AHEAD` + 2 of them,
        the windows of the records that the threads are at, and those of one record.
        """
        return ahead(self._window_batches(size), BATCHES_AHEAD)

    def _window_batches(self, size: int) -> Generator[tuple[Batch, npt.NDArray[np.intp]]]:
        pending: list[Floats] = []
        owners: list[int] = []
        for row, windows in enumerate(self._read_ahead()):
            for window in windows:
                pending.append(window)
                owners.append(row)
                if len(pending) == size:
                    rows = np.array(owners, dtype=np.intp)
                    yield self._batch(np.stack(pending), rows), rows
                    pending, owners = [], []
        if pending:
            rows = np.array(owners, dtype=np.intp)
            yield self._batch(np.stack(pending), rows), rows

    def _read_ahead(self) -> Generator[Floats]:
        """Give the windows of each record in order, while threads are at the next ones."""
        with ThreadPoolExecutor(self.workers) as pool:
            begun: deque[Future[list[Floats]]] = deque()
            for first in range(0, len(self), TOGETHER):
                if len(begun) > self.workers:
                    yield from begun.popleft().result()
                begun.append(pool.submit(self._some, first))
            while begun:
                yield from begun.popleft().result()

    def _some(self, first: int) -> list[Floats]:
        return [self._windows(row) for row in range(first, min(first + TOGETHER, len(self)))]
