"""How the networks are trained: plain numbers, each with the range that makes sense."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import ConfigDict, Field
from pydantic.dataclasses import dataclass

Count = Annotated[int, Field(ge=1, le=1_000_000)]
Rate = Annotated[float, Field(gt=0, le=10)]
Decay = Annotated[float, Field(ge=0, le=10)]
Part = Annotated[float, Field(ge=0, le=1)]
WarmUp = Annotated[float, Field(gt=0, lt=1)]

_STRICT = ConfigDict(extra="forbid", strict=True)


@dataclass(frozen=True, slots=True, config=_STRICT)
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
    warm_up
        Part of the schedule in which the rate rises to its peak.
    weight_decay
        Of AdamW.
    schedule
        ``"one-cycle"`` over the whole training, or a ``"constant"`` learning rate.
    """

    name: str
    epochs: Count = 50
    batch_size: Count = 128
    least_steps: Count = 8
    learning_rate: Rate = 1e-2
    warm_up: WarmUp = 0.3
    weight_decay: Decay = 1e-2
    schedule: Literal["one-cycle", "constant"] = "one-cycle"

    def steps(self, records: int) -> int:
        """Count the steps of an epoch: none has a single record, which batch normalisation cannot take."""
        return min(max(-(-records // self.batch_size), self.least_steps), records // 2)


@dataclass(frozen=True, slots=True, config=_STRICT)
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
    parts
        A process takes its batch through the encoder in so many parts, one after another, and needs
        memory for one of them only. Loss and gradients are still those of the whole batch.
    processes
        Above 1, so many processes with a device each share the work.
    learning_rate
        Peak of the one-cycle schedule.
    warm_up
        Part of the schedule in which the rate rises to its peak.
    weight_decay
        Of AdamW, on matrices and kernels.
    tuned
        Whether the text encoder is learnt further.
    text_learning_rate
        The peak for the text encoder, if it is tuned.
    dim
        Of the common space.
    temperature
        Of the loss, at the start; it is learnt.
    least_temperature
        It does not fall below.
    whole
        Chance of a report to be taken whole; otherwise a part of its sentences is drawn, so that a
        description of a single finding is nothing new.
    """

    name: str
    epochs: Count
    batch_size: Count
    learning_rate: Rate
    parts: Count = 1
    processes: Annotated[int, Field(ge=1, le=1024)] = 1
    warm_up: WarmUp = 0.1
    weight_decay: Decay = 0.05
    tuned: bool = False
    text_learning_rate: Rate = 2e-5
    dim: Annotated[int, Field(ge=1, le=65_536)] = 256
    temperature: Annotated[float, Field(gt=0, le=1)] = 0.07
    least_temperature: Annotated[float, Field(gt=0, le=1)] = 0.01
    whole: Part = 0.0

    def steps(self, records: int) -> int:
        """Count the batches of an epoch: none leaves a process less than two pairs."""
        together = self.batch_size * self.processes
        return max(min(-(-records // together), records // (2 * self.processes)), 1)


@dataclass(frozen=True, slots=True, config=_STRICT)
class Augmentation:
    """How recordings are varied in training; see `baselines.contrastive.augment.vary_signals`.

    Attributes
    ----------
    gain
        All leads are scaled by one factor, at most so much (relative) away from 1.
    noise
        Standard deviation of the strongest white noise, mV.
    wander
        Amplitude of the strongest wander of the baseline, mV.
    shift
        Seconds that a recording may move to either side.
    """

    gain: Part = 0.1
    noise: Part = 0.02
    wander: Part = 0.05
    shift: Annotated[float, Field(ge=0, le=10)] = 0.5
