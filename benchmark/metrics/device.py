"""The areas of the bootstrap on a torch device: the same resamples, the same integers, the same numbers.

Importing this module imports torch.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import chain, pairwise
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import OutOfMemoryError as OutOfMemoryError
from torch import Tensor

from benchmark.metrics.bootstrap import Bootstrap, Ranking, prepare
from benchmark.metrics.checks import Groups
from benchmark.metrics.resampling import CHUNK_BYTES, MOST_RESAMPLES, drawn_counts


@dataclass(frozen=True, slots=True)
class _Column:
    """One sorted column, divided at the K distinct scores that a positive has.

    Attributes
    ----------
    patients
        int64 ``[annotated]``: whose draws each record takes.
    part
        int64 ``[annotated]``: where its draws are summed. Negatives between two such scores share a part,
        and so do negatives at one (2 K + 1 parts, best score first); positives at one come after those.
    distinct
        K.
    """

    patients: Tensor
    part: Tensor
    distinct: int


def bootstrap_on_device(
    labels: npt.NDArray[np.int8],
    scores: npt.NDArray[Any],
    groups: Groups,
    *,
    resamples: int,
    seed: int,
    device: str,
    prevalence: npt.ArrayLike | None = None,
    chunk: int | None = None,
) -> Bootstrap:
    """Compute on a torch device what `bootstrap.bootstrap` computes on the processors.

    Parameters
    ----------
    labels, scores, groups, resamples, seed, prevalence
        As for `bootstrap.bootstrap`.
    device
        For example ``"cuda"``.
    chunk
        Resamples in the memory of the device at a time. It changes no value.

    Raises
    ------
    UsageError, ModelError
        As `bootstrap.bootstrap`.

    Notes
    -----
    Draws are made by the compiled generator on the processor and moved, so they are the same. AUROCs come
    from int64 sums and are the same to the last bit; average precision adds its float64 terms in another
    order and agrees to 1e-12. It is meant for CUDA, where neither its time nor its memory was ever measured:
    the agreement is tested on torch's own CPU.
    """
    ranking, odds, groups = prepare(labels, scores, groups, prevalence)
    target = torch.device(device)
    number_of_groups = int(groups.max(initial=-1)) + 1
    columns = [_divide(ranking, groups, start, end, target) for start, end in pairwise(ranking.starts)]
    if chunk is None:
        longest = max((len(column.part) for column in columns), default=0)
        bytes_a_resample = 5 * longest + 32 * number_of_groups  # draws, gathered and as int32; sums
        chunk = max(16, min(MOST_RESAMPLES, CHUNK_BYTES // max(1, bytes_a_resample)))

    found = np.empty((2, 1 + resamples, len(columns)))
    everybody = -1, np.ones((number_of_groups, 1), np.uint8)
    for first, counts in chain(
        [everybody], drawn_counts(np.arange(number_of_groups), resamples, seed, chunk)
    ):
        rows = slice(1 + first, 1 + first + counts.shape[1])
        drawn = torch.from_numpy(counts).to(target)
        areas = [_areas(column, float(odds[c]), drawn) for c, column in enumerate(columns)]
        for c, (auroc, auprc) in enumerate(areas):
            found[0, rows, c] = auroc.cpu().numpy()
            found[1, rows, c] = auprc.cpu().numpy()
    return Bootstrap(found[0, 0], found[1, 0], found[0, 1:], found[1, 1:])


def _divide(ranking: Ranking, groups: Groups, start: int, end: int, device: torch.device) -> _Column:
    positive, last = ranking.positive[start:end], ranking.last[start:end]
    tie: Groups = np.cumsum(last) - last
    held = np.zeros(int(tie.max(initial=-1)) + 1, np.bool_)  # ties with a positive
    held[tie[positive]] = True
    before: Groups = np.cumsum(held) - held
    distinct = int(held.sum())
    part = 2 * before[tie] + held[tie]
    part[positive] = 2 * distinct + 1 + before[tie[positive]]
    patients = groups[ranking.order[start:end]]
    return _Column(torch.from_numpy(patients).to(device), torch.from_numpy(part).to(device), distinct)


def _areas(column: _Column, odds: float, drawn: Tensor) -> tuple[Tensor, Tensor]:
    """AUROC and average precision in each resample, float64 ``[resamples]`` each."""
    k = column.distinct
    sums = torch.zeros((3 * k + 1, drawn.shape[1]), dtype=torch.int32, device=drawn.device)
    sums.index_add_(0, column.part, drawn.index_select(0, column.patients).int())
    negatives = sums[: 2 * k + 1].cumsum(0, dtype=torch.int64)
    before, above, total = negatives[0 : 2 * k : 2], negatives[1 : 2 * k : 2], negatives[-1]
    tied = sums[2 * k + 1 :].long()
    hits = tied.cumsum(0)
    positives = tied.sum(0)
    pairs = 2 * positives * total
    lost = (tied * (before + above)).sum(0)
    weight = torch.ones_like(total, dtype=torch.float64)
    if not np.isnan(odds):
        weight = torch.where(total > 0, odds * positives.double() / total.double(), weight)
    called = (hits.double() + weight * above.double()).clamp(min=1)
    auroc = (pairs - lost).double() / pairs.double()
    auprc = ((tied * hits).double() / called).sum(0) / positives.double()
    return auroc, torch.where(pairs > 0, auprc, torch.nan)
