"""Pairs of one or more cohorts, streamed from prepared files."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from baselines.text.reports import Reports, normalised
from baselines.training.recordings_file import Prepared, write_recordings
from benchmark.models.contract import Batch, Pairs
from benchmark.models.labels import Labels


@dataclass(frozen=True, eq=False)
class PairedRecords:
    """The records of some cohorts that have a report, as if they were one.

    Attributes
    ----------
    files
        One prepared file a cohort, mapped into memory by whoever reads it.
    reports
        Of all records, in the order of the files.
    bounds
        Where each file ends in that order.
    labels
        int8 ``[records, concepts]``, one table a file.
    left_out
        Records without a report.
    """

    files: tuple[Path, ...]
    reports: Reports
    bounds: tuple[int, ...]
    labels: tuple[Labels, ...]
    left_out: int

    def __len__(self) -> int:
        return len(self.reports)

    def maps(self) -> list[Prepared]:
        """Open all files."""
        return [np.lib.format.open_memmap(path, mode="r") for path in self.files]

    def place(self, row: int) -> tuple[int, int]:
        """Number of the file that holds a record, and its row there."""
        file = int(np.searchsorted(self.bounds, row, side="right"))
        return file, row - (self.bounds[file - 1] if file else 0)


def gather_pairs(
    cohorts: Sequence[Pairs],
    concepts: Sequence[str],
    prepare: Callable[[Batch], Prepared],
    folder: Path,
    part: str,
) -> PairedRecords:
    """Write the prepared recordings of all cohorts into ``folder``, once, and take their reports and labels.

    Parameters
    ----------
    cohorts
        One or more.
    concepts
        Columns of the labels; one that a cohort has no labels for is -1 there.
    prepare
        Makes of a batch what the encoder is given.
    folder
        For the files ``{part}-{number}.npy``.
    part
        ``"training"`` or ``"validation"``.
    """
    said: list[tuple[str, ...]] = []
    files, bounds, labels = [], [], []
    for number, pairs in enumerate(cohorts):
        rows = np.flatnonzero([any(map(normalised, sentences)) for sentences in pairs.sentences])
        if len(rows):
            said.extend(pairs.sentences[row] for row in rows.tolist())
            files.append(folder / f"{part}-{number}.npy")
            bounds.append(len(said))
            table = pairs.labels.iloc[rows].reindex(columns=list(concepts), fill_value=-1)
            labels.append(table.to_numpy(np.int8))
            write_recordings(pairs, files[-1], prepare, rows)
    left_out = sum(map(len, cohorts)) - len(said)
    return PairedRecords(tuple(files), Reports.of(said), tuple(bounds), tuple(labels), left_out)


class PairBatches:
    """One epoch of pairs: every record once, in batches of nearly equal size.

    All cohorts are shuffled together, so each has the share of a batch that it has of the records.

    Parameters
    ----------
    pairs
        The training records.
    batches
        Number of batches.
    whole
        Chance of a report to be taken whole; otherwise a part of its sentences is drawn.
    seed
        Decides order and sentences, whoever reads them and in however many calls.
    process, processes
        Which share of each batch is read here. All shares have the same size: what cannot be divided, fewer
        records than there are processes, waits for another epoch.
    """

    def __init__(
        self,
        pairs: PairedRecords,
        batches: int,
        whole: float,
        seed: tuple[int, ...],
        process: int = 0,
        processes: int = 1,
    ) -> None:
        self.pairs = pairs
        self.batches = batches
        self.whole = whole
        self.seed = seed
        self.process = process
        self.processes = processes

    def __len__(self) -> int:
        return self.batches

    def __iter__(self) -> Iterator[tuple[torch.Tensor, ...]]:
        """Yield prepared recordings, sentences of the reports and where each begins, groups."""
        rng = np.random.default_rng(self.seed)
        maps, reports = self.pairs.maps(), self.pairs.reports
        for batch in np.array_split(rng.permutation(len(self.pairs)), self.batches):
            rows = batch[: len(batch) - len(batch) % self.processes]
            said = [reports.some(int(row), self.whole, rng) for row in rows]
            mine = slice(self.process, None, self.processes)
            places = [self.pairs.place(int(row)) for row in rows[mine]]
            prepared = np.stack([maps[file][row] for file, row in places])
            yield tuple(map(torch.from_numpy, (prepared, *flat(said[mine]), reports.groups[rows[mine]])))


def flat(said: Sequence[np.ndarray[Any, np.dtype[np.int64]]]) -> tuple[Prepared, Prepared]:
    """Put sentences of reports one behind the other: ``ids``, and ``offsets`` where each report begins."""
    lengths = [len(ids) for ids in said]
    return np.concatenate(said), np.cumsum([0, *lengths[:-1]])
