"""When two answers to the same question are the same: float rounding, and no more."""

from __future__ import annotations

import numpy as np

from benchmark.conformance.asking import EMBED, Mode
from benchmark.models.contract import Floats
from cohorts.errors import ModelError

TOLERANCE = 1e-4
"""Of the spread of a column over the records, which is what ranks them."""
WIDER_TOLERANCE = 1e-3
"""For features, of which the worst of thousands counts (a residual network of 50 layers, asked for one record
and for 16, had one 5e-5 apart on a processor); and off the processor, where products may be rounded to ten
bits of mantissa (TF32)."""
ROUNDING = 1e-6
"""Of the greatest score of a column: a few units in the last place of float32."""
LEAST_SPREAD = 0.01
"""Of the median over the columns: one that hardly varies is measured by the others."""


def compared(mode: Mode, expected: Floats, found: Floats, what: str) -> str:
    """Compare two answers about the same records, and say how far they are apart.

    Parameters
    ----------
    mode
        How the model was asked.
    expected, found
        ``[records, columns]``.
    what
        Of the second answer, such as ``"in a batch of 1"``.

    Raises
    ------
    ModelError
        If they differ by more than rounding, naming the worst score.
    """
    if expected.shape != found.shape:
        raise ModelError(f"The answer has the shape {found.shape} {what}, and {expected.shape} otherwise.")
    spread = np.ptp(expected, axis=0).astype(np.float64)
    spread = np.maximum(spread, LEAST_SPREAD * np.median(spread))
    apart = np.abs(expected.astype(np.float64) - found)
    apart[apart <= ROUNDING * np.abs(expected).max(axis=0, initial=0.0)] = 0.0
    with np.errstate(divide="ignore", invalid="ignore"):
        relative = np.where(apart > 0, apart / spread, 0.0)
    row, column = np.unravel_index(np.argmax(relative), relative.shape)
    worst = float(relative[row, column])
    if worst > (TOLERANCE if mode.device == "cpu" and mode.name != EMBED else WIDER_TOLERANCE):
        raise ModelError(
            f"{mode.column(int(column))} of a record is {found[row, column]:.7g} {what}, and "
            f"{expected[row, column]:.7g} otherwise."
        )
    return "same scores" if worst == 0 else f"largest difference {worst:.0e} of the spread"
