"""How the networks are trained, as plain numbers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal


@dataclass(frozen=True, slots=True)
class Recipe:
    """Supervised training; the defaults are those of the PTB-XL benchmark.

    Attributes
    ----------
    name
        What the log calls the model.
    epochs
        Passes over the training records.
    batch_size
        Records a step, fewer where that would leave an epoch less than `least_steps` steps.
    least_steps
        Steps an epoch, for small training sets.
    learning_rate
        Peak of the one-cycle schedule.
    weight_decay
        Of AdamW.
    schedule
        ``"one-cycle"`` over the whole training, or a ``"constant"`` learning rate.
    precision
        ``"32-true"``, or ``"bf16-mixed"`` on a processor that has it.
    """

    name: str
    epochs: int = 50
    batch_size: int = 128
    least_steps: int = 8
    learning_rate: float = 1e-2
    weight_decay: float = 1e-2
    schedule: Literal["one-cycle", "constant"] = "one-cycle"
    precision: Any = "32-true"

    def steps(self, records: int) -> int:
        """Count the steps of an epoch: none has a single record, which batch normalisation cannot take."""
        return min(max(-(-records // self.batch_size), self.least_steps), records // 2)


@dataclass(frozen=True, slots=True)
class PretrainRecipe:
    """Contrastive pre-training.

    Attributes
    ----------
    name
        What the log calls the model.
    epochs
        Passes over the training records.
    batch_size
        Pairs a step of one process; counter-examples are the pairs of the same step in all processes.
    accumulate
        Steps whose gradients are averaged before the weights move; it adds no counter-examples.
    learning_rate
        Peak of the one-cycle schedule, whose first tenth is warm-up.
    text_learning_rate
        The peak for the text encoder, if it is tuned.
    weight_decay
        Of AdamW, on matrices and kernels.
    dim
        Of the common space.
    whole
        Chance of a report to be taken whole; otherwise a part of its sentences is drawn, so that a
        description of a single finding is nothing new.
    processes
        Above 1, so many processes with a device each share the work.
    """

    name: str
    epochs: int
    batch_size: int
    learning_rate: float
    accumulate: int = 1
    text_learning_rate: float = 2e-5
    weight_decay: float = 0.05
    dim: int = 256
    whole: float = 0.0
    processes: int = 1

    def steps(self, records: int) -> int:
        """Count the batches of an epoch: none leaves a process less than two pairs."""
        together = self.batch_size * self.processes
        return max(min(-(-records // together), records // (2 * self.processes)), 1)
