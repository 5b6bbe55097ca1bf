"""The plugin contract: what a model is given, and what it answers.

A model is any object with ``card`` and ``predict``; nothing of this project need be imported to write one.
What a card says stands in `benchmark.models.model_card`. The suite prepares the input (leads by name,
sampling rate, unit, length) exactly as ``card.input`` asks. Normalisation that belongs to a model stays in
the model.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import numpy as np
import numpy.typing as npt
import pandas as pd

Floats = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Batch:
    """What ``predict`` is given: no record ids and no labels.

    Attributes
    ----------
    signals
        float32 ``[records, leads, samples]``, C-contiguous, as the card's ``input`` asks. A sample
        that the release marks as missing is 0.
    age
        float32 ``[records]``, years, NaN where unknown.
    sex
        ``[records]`` of ``"female"``, ``"male"`` or ``""``.
    """

    signals: Floats
    age: Floats
    sex: npt.NDArray[np.str_]

    def __len__(self) -> int:
        return len(self.signals)


class Records(Protocol):
    """Records of one prepared cohort, as a trainable model is given them."""

    @property
    def labels(self) -> pd.DataFrame:
        """int8 ``[records, concepts]``: 1 positive, 0 negative, -1 not annotated here."""

    def __len__(self) -> int: ...

    def batch(self, positions: Sequence[int] | npt.NDArray[np.integer[Any]]) -> Batch:
        """Records at these positions, one window each, harmonised to the model's ``input``."""

    def batches(self, size: int) -> Iterator[Batch]:
        """All records in order."""


@dataclass(frozen=True, slots=True)
class FitSettings:
    """How a trainable model is to be trained.

    Attributes
    ----------
    concepts
        The columns of the labels to learn, which become ``card.outputs`` in this order.
    seed
        The only source of randomness.
    device
        A torch device name, for example ``"cpu"`` or ``"cuda"``.
    folder
        For checkpoints: a second call with the same folder resumes what the first left.
    precision
        ``"32-true"``, or ``"bf16-mixed"`` for a model with ``bfloat16``.
    """

    concepts: tuple[str, ...]
    seed: int
    device: str
    folder: Path
    precision: str = "32-true"


class Pairs(Records, Protocol):
    """Records of one prepared cohort with what was written about each."""

    @property
    def sentences(self) -> Sequence[tuple[str, ...]]:
        """What the report of each record says, in one language or in many (see `PretrainSettings`)."""


@dataclass(frozen=True, slots=True)
class PretrainSettings:
    """How a model is to be pre-trained on pairs of signal and text.

    Attributes
    ----------
    prompts
        Concept id -> descriptions, to follow zero-shot AUROC on the validation records.
    seed
        The only source of randomness.
    device
        A torch device name.
    precision
        ``"32-true"``, or ``"bf16-mixed"`` on hardware that has it.
    folder
        For checkpoints: a second call with the same folder resumes what the first left.
    recipe
        What the model's ``complete_recipe`` has made of the recipe that was asked for; empty if it has none.
    """

    prompts: Mapping[str, tuple[str, ...]]
    seed: int
    device: str
    precision: str
    folder: Path
    recipe: Mapping[str, Any] = field(default_factory=dict)


@runtime_checkable
class Model(Protocol):
    """Anything with a card and a ``predict``.

    With ``bfloat16 = True`` it may be asked under torch's autocast to bfloat16, where the user asks for that,
    and ``fit`` trains in ``settings.precision``.
    """

    card: Any

    def predict(self, batch: Batch) -> Any:
        """Scores ``[records, outputs]``, higher for more likely."""


@runtime_checkable
class Trainable(Protocol):
    """A model that the suite can train."""

    def fit(self, training: Records, validation: Records, settings: FitSettings) -> None:
        """Learn from ``training``; ``validation`` is for choosing epochs and strengths only."""

    def save(self, folder: Path) -> None:
        """Write everything that ``predict`` needs into an existing empty folder."""

    def load(self, folder: Path) -> None:
        """Restore what ``save`` wrote."""


@runtime_checkable
class Encoder(Protocol):
    """A model that turns signals into features."""

    def embed(self, batch: Batch) -> Any:
        """Give finite features ``[records, features]``; each record for itself, whatever is beside it."""


@runtime_checkable
class AgeTeller(Protocol):
    """A model that tells the age of a person from the ECG, which is no concept and no score."""

    def ages(self, batch: Batch) -> Any:
        """Give years, finite ``[records]``; each record for itself, whatever is beside it."""


@runtime_checkable
class Explainer(Protocol):
    """A model that tells itself, such as from its gradients, what speaks for a concept."""

    def explain(self, batch: Batch, concept: str) -> Any:
        """Give finite ``[records, leads, samples]``, like the signals: above 0 where a sample speaks for it.

        The suite sums them over parts of a lead, and tests whether erasing what they name costs the score.
        """


@runtime_checkable
class Prompted(Protocol):
    """A model that is given descriptions of what to look for; its card has ``outputs="any"``."""

    def set_concepts(self, prompts: Mapping[str, tuple[str, ...]]) -> None:
        """Take concept id -> descriptions; ``predict`` then gives one column each, in this order."""


@runtime_checkable
class Pretrainable(Protocol):
    """A model that learns from pairs of signal and text before anything else.

    Attributes
    ----------
    multilingual
        Whether it reads reports in any language. If not it is given English sentences.
    small
        Whether a run may pre-train it without being asked to.
    """

    multilingual: bool
    small: bool

    def pretrain(
        self, training: Sequence[Pairs], validation: Sequence[Pairs], settings: PretrainSettings
    ) -> None:
        """Learn from the pairs of one or more cohorts; ``validation`` has other patients."""

    def save(self, folder: Path) -> None:
        """Write everything that the model needs into an existing empty folder."""

    def load(self, folder: Path) -> None:
        """Restore what ``save`` wrote."""


@runtime_checkable
class Adjustable(Protocol):
    """A pretrainable model that takes other hyper-parameters, with ``leadboard pretrain --recipe``."""

    def complete_recipe(self, given: Mapping[str, Any]) -> Mapping[str, Any]:
        """Check the content of a recipe's file, and add what it leaves as it is; asking changes nothing.

        An empty recipe gives the model's own, and a complete one comes back as it is. What comes back may be
        written as JSON: it decides which pre-training is meant, and stands in its record.

        Raises whatever says in one sentence what is wrong; a `ValueError` will do.
        """


@runtime_checkable
class Published(Protocol):
    """A model whose weights somebody else has trained; the user downloads and converts them.

    It may have an attribute ``weights_file``: the name of the published file, for the message that asks for
    it.
    """

    def convert(self, file: str, folder: Path) -> str:
        """Check weights (a file, a folder or a hub id) and write what `load` reads into ``folder``.

        Returns one sentence about what was found. Raises `ModelError` that says exactly what does not fit.
        """

    def load(self, folder: Path) -> None:
        """Restore what ``convert`` wrote."""


ABILITIES = (Trainable, Encoder, AgeTeller, Explainer, Prompted, Pretrainable, Adjustable, Published)
