"""Networks of the field as models of the suite: trained on crops, asked about windows, or frozen as drawn."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from baselines.training.recipes import Recipe
from benchmark.models.contract import Batch, FitSettings, Floats, Records
from benchmark.models.model_card import InputSpec, ModelCard
from benchmark.models.weights import load_weights, save_weights, untrained
from cohorts.errors import ModelError

if TYPE_CHECKING:
    from baselines.training.crops import CropClassifier

INPUT = InputSpec(sampling_rate=100, seconds=10)
CROP = 250
TYPICAL_SCALE = 0.24
"""Standard deviation of a recording in mV, for a network that learns nothing, not even that."""


class Network(ABC):
    """What a trained network and its untrained control have in common.

    Attributes
    ----------
    stride
        Samples from one window of 2.5 s to the next.
    join
        How the scores of the windows of a recording are joined.
    standardised
        Whether signals are brought to mean 0 and deviation 1 by the training records, all by the same.
    """

    stride: ClassVar[int] = 125
    join: ClassVar[Literal["mean", "maximum"]] = "maximum"
    standardised: ClassVar[bool] = True
    bfloat16: ClassVar[bool] = True

    @abstractmethod
    def network(self, outputs: int) -> Any:
        """Build the network, untrained, with ``features`` and with ``last``, its layer of the outputs."""

    def classifier(self, outputs: int) -> CropClassifier:
        """Build the network and what asks it about whole recordings."""
        from baselines.training.crops import CropClassifier

        return CropClassifier(self.network(outputs), CROP, self.stride, self.join)


class CropModel(Network):
    """A network that learns from random crops of 2.5 s at 100 Hz.

    Attributes
    ----------
    untrained_card
        The card before it has learnt anything.
    recipe
        How it is trained.

    Parameters
    ----------
    device
        Where to predict, a torch device name.
    epochs
        Passes over the training records, if not those of the recipe.
    """

    untrained_card: ClassVar[ModelCard]
    recipe: ClassVar[Recipe]

    def __init__(self, device: str = "cpu", *, epochs: int | None = None) -> None:
        self.card = self.untrained_card
        self._device = device
        recipe = replace(self.recipe, name=self.card.name)
        self._recipe = recipe if epochs is None else replace(recipe, epochs=epochs)
        self._classifier: CropClassifier | None = None

    def fit(self, training: Records, validation: Records, settings: FitSettings) -> None:
        """Train; ``validation`` decides the epoch. Resumes what an earlier call left in the folder."""
        import torch

        from baselines.training.recordings_file import mean_and_scale, write_recordings
        from baselines.training.supervised import both_labels, learn

        labels = both_labels(training, validation, settings, self.card.name)
        signals = (
            write_recordings(training, settings.folder / "training.npy"),
            write_recordings(validation, settings.folder / "validation.npy"),
        )
        with torch.random.fork_rng([]):
            torch.manual_seed(settings.seed)
            classifier = self.classifier(len(settings.concepts))
        if self.standardised:
            mean, scale = mean_and_scale(signals[0])
            classifier.mean.fill_(mean)
            classifier.scale.fill_(scale)
        last: Any = classifier.network.last
        learn(classifier, last, signals, labels, self._recipe, settings)
        self._classifier = classifier.to(self._device)
        self.card = self.card.model_copy(update={"outputs": settings.concepts})

    def predict(self, batch: Batch) -> Floats:
        """Score float32 ``[records, outputs]``, probabilities."""
        if self._classifier is None:
            raise untrained(self.card)
        return self._classifier.scores(batch.signals)

    def explain(self, batch: Batch, concept: str) -> Floats:
        """Share the logit of a concept out among the samples, float32 ``[records, leads, samples]``."""
        from baselines.training.gradients import integrated_gradients

        classifier = self._classifier
        if classifier is None:
            raise untrained(self.card)
        column = self.card.outputs.index(concept)
        return integrated_gradients(
            lambda signals: classifier.logit(signals, column), batch.signals, self._device
        )

    def save(self, folder: Path) -> None:
        """Write the state dict of the network and its scaling into ``folder``."""
        if self._classifier is None:
            raise untrained(self.card)
        state = self._classifier.state_dict()
        save_weights(folder, self.card, {name: tensor.cpu().numpy() for name, tensor in state.items()})

    def load(self, folder: Path) -> None:
        """Restore what `save` wrote, or raise `ModelError`."""
        import torch

        card, arrays = load_weights(folder, self.card)
        classifier = self.classifier(len(card.outputs))
        classifier.load_state_dict({name: torch.from_numpy(array) for name, array in arrays.items()})
        self._classifier = classifier.to(self._device).eval()
        self.card = card


class FrozenEncoder(Network):
    """The control: the features of a network as it is before any training, drawn with the seed 0.

    Attributes
    ----------
    control_card
        The card.

    Parameters
    ----------
    device
        Where to compute, a torch device name.
    """

    control_card: ClassVar[ModelCard]

    def __init__(self, device: str = "cpu") -> None:
        self.card = self.control_card
        self._device = device
        self._classifier: CropClassifier | None = None

    def embed(self, batch: Batch) -> Floats:
        """Give features float32 ``[records, width]``, the mean over the windows of a recording."""
        import torch

        if self._classifier is None:
            with torch.random.fork_rng([]):
                torch.manual_seed(0)
                self._classifier = self.classifier(1).to(self._device).eval()
            if self.standardised:
                self._classifier.scale.fill_(TYPICAL_SCALE)
        return self._classifier.features(batch.signals)

    def predict(self, batch: Batch) -> Floats:
        """Refuse: this model has features, not scores."""
        raise ModelError(f"{self.card.name} has no outputs of its own; ask it with a linear probe.")


def control_of(card: ModelCard) -> ModelCard:
    """Make the card of the untrained control of a network."""
    return card.model_copy(
        update={
            "name": f"{card.name}-random",
            "description": f"Control: features of {card.name} with random weights (seed 0), not trained.",
            "probabilities": False,
            "control_for": card.name,
        }
    )
