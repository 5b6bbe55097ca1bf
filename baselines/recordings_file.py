"""Harmonised recordings of a training in one file, so that an epoch does not resample them anew."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch

from benchmark.annotations import Labels
from benchmark.models import Floats, InputSpec, Records

AT_ONCE = 256


def write_recordings(records: Records, spec: InputSpec, path: Path) -> Floats:
    """Write all signals into a NumPy file, once, and map it into memory.

    Parameters
    ----------
    records
        A part of a cohort, read in order and a batch at a time.
    spec
        The model's input, which gives the shape.
    path
        The file. It appears when it is complete; an interrupted call leaves none. One that is there
        with the right shape, first and last record is taken as it is.

    Returns
    -------
    float32 ``[records, leads, samples]``, read-only, on disk.
    """
    shape = (len(records), len(spec.leads), spec.samples)
    if path.exists():
        mapped = np.lib.format.open_memmap(path, mode="r")
        ends = records.batch([0, len(records) - 1]).signals
        if mapped.shape == shape and np.array_equal(mapped[[0, -1]], ends):
            return mapped
    partial = path.with_suffix(".partial")
    signals = np.lib.format.open_memmap(partial, mode="w+", dtype=np.float32, shape=shape)
    done = 0
    for batch in records.batches(AT_ONCE):
        signals[done : done + len(batch)] = batch.signals
        done += len(batch)
    signals.flush()
    partial.replace(path)
    return np.lib.format.open_memmap(path, mode="r")


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
        float32 ``[records, leads, samples]``.
    labels
        int8 ``[records, concepts]``.
    crop
        Samples of a crop.
    batches
        Number of batches.
    seed
        Decides order and crops, whoever reads them and in however many calls.
    """

    def __init__(
        self, signals: Floats, labels: Labels, crop: int, batches: int, seed: tuple[int, ...]
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
        records, _, samples = self.signals.shape
        order = rng.permutation(records)
        starts = rng.integers(0, samples - self.crop, records, endpoint=True)
        for rows in np.array_split(order, self.batches):
            crops = np.stack([self.signals[row, :, starts[row] : starts[row] + self.crop] for row in rows])
            yield torch.from_numpy(crops), torch.from_numpy(self.labels[rows])
