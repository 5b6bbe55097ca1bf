"""In which precision models are trained and asked."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, TypeVar

import numpy as np

from benchmark.models.contract import Batch, Floats
from benchmark.records.record import Rounding
from cohorts.store import Rows

TrainingPrecision = Literal["32-true", "bf16-mixed"]
"""As PyTorch Lightning names them."""

ScoringPrecision = Literal["float32", "bf16"]

COMPARED = 200
"""Records that are scored in float32 as well where a cell is scored in bfloat16."""

DTYPES: dict[ScoringPrecision, str] = {"float32": "float32", "bf16": "bfloat16"}
"""What a record says of each."""

T = TypeVar("T")


def training_precision(asked: TrainingPrecision | Literal["auto"], device: str) -> TrainingPrecision:
    """Say in which precision is trained on a device; "auto" is bf16-mixed on a GPU that computes in bfloat16.

    Parameters
    ----------
    device
        A torch device name.
    """
    if asked != "auto":
        return asked
    if not device.startswith("cuda"):
        return "32-true"
    import torch

    able = torch.cuda.is_available() and torch.cuda.is_bf16_supported(including_emulation=False)
    return "bf16-mixed" if able else "32-true"


def asked_in(precision: ScoringPrecision, device: str, ask: Callable[[Batch], T]) -> Callable[[Batch], T]:
    """Let what asks a model run under torch's autocast where bfloat16 is wanted; else it is given back."""
    if precision == "float32":
        return ask

    def lower(batch: Batch) -> T:
        import torch

        with torch.autocast(torch.device(device).type, dtype=torch.bfloat16):
            return ask(batch)

    return lower


def compared_rows(rows: Rows) -> Rows:
    """Give the positions, among the rows of a cell, of up to `COMPARED` that are spread over all of them.

    Examples
    --------
    >>> compared_rows(np.arange(3)).tolist()
    [0, 1, 2]
    >>> spread = compared_rows(np.arange(100, 1100))
    >>> len(spread), spread[0], spread[-1]
    (200, 0, 999)
    """
    count = min(COMPARED, len(rows))
    return np.linspace(0, len(rows) - 1, count).round().astype(np.intp)


def rounding_of(scores: Floats, whole: Floats) -> Rounding:
    """Say how far scores lie from those of the same records in float32.

    Parameters
    ----------
    scores, whole
        float32 ``[fits, records, outputs]``.
    """
    away = np.abs(scores.astype(np.float64) - whole)
    return Rounding(records=scores.shape[1], largest=float(away.max()), mean=float(away.mean()))
