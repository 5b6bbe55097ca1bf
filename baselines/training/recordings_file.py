"""Prepared recordings of a training in one file, so that they are prepared once and not in every epoch."""

from __future__ import annotations

import os
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from io import FileIO
from pathlib import Path
from tokenize import TokenError
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from benchmark.models.contract import Batch, Floats, Records
from benchmark.models.labels import Labels
from cohorts.errors import LeadboardError

AT_ONCE = 256

SUM = 4
"""Bytes of the checksum that stands behind the array, where no reader of NumPy files looks."""

Prepared = npt.NDArray[Any]


def signals_of(batch: Batch) -> Floats:
    """Take the signals as they are: the preparation of a network that does all else itself."""
    return batch.signals


def write_recordings(
    records: Records,
    path: Path,
    prepare: Callable[[Batch], Prepared] = signals_of,
    rows: npt.NDArray[np.intp] | None = None,
) -> Prepared:
    """Write what a network is given of each record into a NumPy file, once, and map it into memory.

    Parameters
    ----------
    records
        A part of a cohort, read in order and a batch at a time.
    path
        The file. It appears when it is complete; an interrupted call leaves none. One that is there
        with the right shape, first and last record is taken if it fits the sum at its end.
    prepare
        Makes of a batch an array with one row a record, each for itself.
    rows
        Which records, in rising order; all if not given.

    Returns
    -------
    ``[records, ...]``, read-only, on disk.

    Raises
    ------
    LeadboardError
        If the file cannot be written, such as on a full disk.
    """
    rows = np.arange(len(records)) if rows is None else rows
    ends = prepare(records.batch(rows[[0, -1]]))
    shape = (len(rows), *ends.shape[1:])
    found = _mapped(path)
    # Preparing two records or many may round differently.
    if found is not None and found.shape == shape and np.allclose(found[[0, -1]], ends, rtol=1e-3, atol=1e-3):
        return found
    partial, total = path.with_suffix(".partial"), 0
    header = {"descr": ends.dtype.str, "fortran_order": False, "shape": shape}
    try:
        # Not written through a map: a disk that is full would end the process without a word.
        with _opened(partial, path) as file:
            with _saying_why(path):
                np.lib.format.write_array_header_1_0(file, header)
            for start in range(0, len(rows), AT_ONCE):
                prepared = prepare(records.batch(rows[start : start + AT_ONCE]))
                content = np.ascontiguousarray(prepared, ends.dtype).data.cast("B")
                total = zlib.crc32(content, total)
                _write(file, content, path)
            _write(file, memoryview(total.to_bytes(SUM, "little")), path)
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)
    return np.lib.format.open_memmap(path, mode="r")


def _opened(partial: Path, path: Path) -> FileIO:
    """Open the file without a buffer, which would fail once more when it is closed."""
    with _saying_why(path):
        return partial.open("wb", buffering=0)


def _write(file: FileIO, left: memoryview, path: Path) -> None:
    while left:
        with _saying_why(path):
            left = left[file.write(left) :]


def _mapped(path: Path) -> Prepared | None:
    """What an earlier call wrote; None where there is nothing, or not all of it as it was."""
    try:
        found: Prepared = np.lib.format.open_memmap(path, mode="r")
        with path.open("rb") as file:
            file.seek(-SUM, os.SEEK_END)
            stated = int.from_bytes(file.read(), "little")
    except (OSError, ValueError, SyntaxError, TokenError, EOFError, OverflowError):
        return None
    total = 0
    for start in range(0, len(found), AT_ONCE):
        total = zlib.crc32(np.ascontiguousarray(found[start : start + AT_ONCE]).data, total)
    return found if total == stated else None


@contextmanager
def _saying_why(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise LeadboardError(
            f"{path} cannot be written ({error.strerror}); free some space, or choose another cache folder "
            "with LEADBOARD_CACHE."
        ) from error


def mean_and_scale(signals: Floats) -> tuple[float, float]:
    """Compute the mean and the standard deviation over all samples of all leads and records.

    In one pass and in double precision; the scale of signals that are constant is 1.
    """
    total = squares = 0.0
    for start in range(0, len(signals), AT_ONCE):
        part = signals[start : start + AT_ONCE].astype(np.float64)
        total += part.sum()
        squares += np.square(part).sum()
    mean = total / signals.size
    deviation = float(np.sqrt(max(squares / signals.size - mean**2, 0.0)))
    return float(mean), deviation or 1.0


class Crops:
    """One epoch of training: a random crop of every record, in batches of nearly equal size.

    Parameters
    ----------
    signals
        ``[records, leads, samples]``, or of any shape where they are not cropped.
    labels
        int8 ``[records, concepts]``.
    crop
        Samples of a crop; None for whole recordings.
    batches
        Number of batches.
    seed
        Decides order and crops, whoever reads them and in however many calls.
    """

    def __init__(
        self, signals: Prepared, labels: Labels, crop: int | None, batches: int, seed: tuple[int, ...]
    ) -> None:
        self.signals = signals
        self.labels = labels
        self.crop = crop
        self.batches = batches
        self.seed = seed

    def __len__(self) -> int:
        return self.batches

    def __iter__(self) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
        rng = np.random.default_rng(self.seed)
        records = len(self.signals)
        order = rng.permutation(records)
        last = 0 if self.crop is None else self.signals.shape[-1] - self.crop
        starts = rng.integers(0, last, records, endpoint=True)
        for rows in np.array_split(order, self.batches):
            crops = np.stack([self.signals[row][..., self._within(starts[row])] for row in rows])
            yield torch.from_numpy(crops), torch.from_numpy(self.labels[rows])

    def _within(self, start: int) -> slice:
        return slice(None) if self.crop is None else slice(start, start + self.crop)
