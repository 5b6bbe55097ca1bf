"""The learning rate over a whole training."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch


def one_cycle(
    optimiser: torch.optim.Optimizer,
    peaks: float | Sequence[float],
    steps: int,
    warm_up: float,
    *,
    cycle_momentum: bool = True,
) -> dict[str, Any]:
    """Let it rise to its peak and fall again, once, moved on after every step; as Lightning takes it.

    Parameters
    ----------
    peaks
        Of all groups of parameters, or of each.
    steps
        Of the whole training.
    warm_up
        Part of them in which it rises. One of a single step is none: it would begin and end at the first
        step, and torch divides by the length between.
    """
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimiser,
        peaks if isinstance(peaks, float) else list(peaks),
        total_steps=steps,
        pct_start=0.0 if warm_up * steps == 1 else warm_up,
        cycle_momentum=cycle_momentum,
    )
    return {"scheduler": schedule, "interval": "step"}
