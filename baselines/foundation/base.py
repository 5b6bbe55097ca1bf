"""What every published model does, so that each of them is a card, a network and a few facts.

A subclass gives ``published``, ``repository``, ``weights_file``, `build` and `prepare`. Importing it must
import no torch: a card is read to print a list.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from baselines.foundation.layout import Layout
from baselines.training.recipes import Recipe
from benchmark.models.contract import Batch, FitSettings, Floats, Records
from benchmark.models.model_card import ModelCard
from benchmark.models.weights import load_weights, save_weights, untrained
from cohorts.errors import ModelError

if TYPE_CHECKING:
    import torch

    from baselines.foundation.official import Official
    from baselines.training.windows import WindowClassifier


class FoundationModel(ABC):
    """Features and, where the weights have any, scores of a model with its authors' weights.

    The network that `build` makes has ``features(windows) -> [windows, width]`` and, for a card with outputs,
    ``forward(windows) -> logits [windows, columns]``. What one is given is a window of what `prepare` makes.

    Attributes
    ----------
    published
        The card, without weights and with them; ``outputs=()`` for a model that has features alone.
    repository, weights_file
        Where the authors' code is, and the name of the file that they publish.
    layout
        How that file differs from the state dict of the network.
    size
        Noted on the card of the weights, for models that have several.
    join
        How the rows of the windows of a recording are joined; features are always averaged.
    at_once
        Recordings that go through the network at a time on a processor.

    Parameters
    ----------
    device
        Where to compute, a torch device name.
    """

    published: ClassVar[ModelCard]
    repository: ClassVar[str]
    weights_file: ClassVar[str]
    layout: Layout = Layout()
    size: ClassVar[str] = "one size"
    join: ClassVar[Literal["mean", "maximum"]] = "mean"
    at_once: ClassVar[int] = 8
    bfloat16: ClassVar[bool] = True

    def __init__(self, device: str = "cpu") -> None:
        self.card = self.published
        self._device = device
        self._network: Any = None

    @abstractmethod
    def build(self) -> Any:
        """Build the network, without weights that mean anything."""

    @abstractmethod
    def prepare(self, signals: torch.Tensor) -> torch.Tensor:
        """Make windows of recordings, on their device and each recording for itself.

        Parameters
        ----------
        signals
            float32 ``[records, leads, samples]`` as the card's input asks.

        Returns
        -------
        ``[records, windows, ...]``
        """

    def score(self, windows: torch.Tensor) -> torch.Tensor:
        """Map windows to the columns of the scores: by default the logistic function of the logits."""
        scores: torch.Tensor = self._network(windows).float().sigmoid()
        return scores

    def official(self) -> Official:
        """Describe the authors' file."""
        import torch

        from baselines.foundation.official import Official

        with torch.device("meta"):
            expected = self.build().state_dict()
        card = self.published
        return Official(card.name, self.size, self.repository, card.licence, expected, self.layout)

    def convert(self, file: str, folder: Path) -> str:
        """Check the authors' file (or a folder or hub id that has it), and write what `load` reads."""
        from baselines.foundation.official import convert

        return convert(self.official(), file, folder)

    def load(self, folder: Path) -> None:
        """Restore what `convert` wrote, or raise `ModelError`."""
        import torch

        from baselines.foundation.official import restored

        with torch.random.fork_rng([]):  # drawing the weights that are replaced must leave no trace
            network = self.build()
        self._network = restored(network, self.published.name, folder, self._device)
        self.card = self.published

    def embed(self, batch: Batch) -> Floats:
        """Give features float32 ``[records, width]``, the mean over the windows of a recording."""
        network = self._ready()
        return self._rows(batch, network.features, "mean")

    def predict(self, batch: Batch) -> Floats:
        """Score float32 ``[records, columns]``, one column for each of the weights' own labels."""
        self._ready()
        if not self.card.outputs:
            raise ModelError(f"{self.card.name} has no outputs of its own; ask it with a linear probe.")
        return self._rows(batch, self.score, self.join)

    def _rows(self, batch: Batch, step: Any, join: Literal["mean", "maximum"]) -> Floats:
        import torch

        from baselines.training.windows import in_parts, joined

        return in_parts(
            lambda signals: joined(step, self._windows(signals), join),
            batch.signals,
            torch.device(self._device),
            self.at_once,
        )

    def _windows(self, signals: torch.Tensor) -> torch.Tensor:
        """Prepare recordings in whole precision: half of it is too coarse for a filter."""
        import torch

        with torch.autocast(signals.device.type, enabled=False):
            return self.prepare(signals)

    def _ready(self) -> Any:
        if self._network is None:
            name = self.card.name
            raise ModelError(
                f"{name} has no weights: "
                f"provide them with 'leadboard weights {name} --file {self.weights_file}'."
            )
        return self._network


class FineTunable(FoundationModel):
    """A published model that can be trained further, all of it, with a new linear layer.

    Attributes
    ----------
    recipe
        How; its name is replaced by the model's.
    """

    recipe: ClassVar[Recipe] = Recipe("", epochs=10, batch_size=32, least_steps=4, learning_rate=1e-4)

    def __init__(self, device: str = "cpu") -> None:
        super().__init__(device)
        self._classifier: WindowClassifier | None = None

    def fit(self, training: Records, validation: Records, settings: FitSettings) -> None:
        """Train a copy of the encoder with a new linear layer; ``validation`` decides the epoch."""
        import copy

        import torch

        from baselines.training.recordings_file import write_recordings
        from baselines.training.supervised import both_labels, learn

        network = self._ready()
        labels = both_labels(training, validation, settings, self.card.name)
        signals = (
            write_recordings(training, settings.folder / "training.npy", self._prepared),
            write_recordings(validation, settings.folder / "validation.npy", self._prepared),
        )
        with torch.random.fork_rng([]):
            torch.manual_seed(settings.seed)
            encoder = copy.deepcopy(self.trained_part(network)).cpu()
            classifier = self._new_classifier(encoder, len(settings.concepts))
        recipe = replace(self.recipe, name=self.card.name)
        learn(classifier, classifier.last, signals, labels, recipe, settings)
        self._become(classifier, settings.concepts)

    def trained_part(self, network: Any) -> Any:
        """Give the part of the network that is trained further: all of it, where it only looks at signals.

        It has ``features`` and ``width`` as the whole has.
        """
        return network

    def predict(self, batch: Batch) -> Floats:
        """Score float32 ``[records, columns]``: with the weights' own outputs, or with what was learnt."""
        if self._classifier is None:
            return super().predict(batch)
        classifier = self._classifier
        import torch

        from baselines.training.windows import in_parts

        return in_parts(
            lambda signals: classifier.probabilities(self._windows(signals)),
            batch.signals,
            torch.device(self._device),
            self.at_once,
        )

    def save(self, folder: Path) -> None:
        """Write the trained classifier into ``folder``."""
        if self._classifier is None:
            raise untrained(self.card)
        state = self._classifier.state_dict()
        save_weights(folder, self.card, {name: tensor.cpu().numpy() for name, tensor in state.items()})

    def load(self, folder: Path) -> None:
        """Restore what `convert` or `save` wrote, or raise `ModelError`."""
        from baselines.checkpoints import CARD

        self._classifier = None
        if (folder / CARD).is_file():
            super().load(folder)
            return
        import torch

        card, arrays = load_weights(folder, self.published)
        with torch.random.fork_rng([]):  # as above
            classifier = self._new_classifier(self.trained_part(self.build()), len(card.outputs))
        classifier.load_state_dict({name: torch.from_numpy(array) for name, array in arrays.items()})
        self._become(classifier, tuple(card.outputs))

    def _prepared(self, batch: Batch) -> Floats:
        import torch

        with torch.inference_mode():
            windows = self.prepare(torch.tensor(batch.signals).to(self._device))
            prepared: Floats = windows.float().cpu().numpy()
        return prepared

    def _new_classifier(self, encoder: Any, outputs: int) -> WindowClassifier:
        from torch import nn

        from baselines.training.windows import WindowClassifier

        return WindowClassifier(encoder, nn.Linear(encoder.width, outputs), self.join)

    def _become(self, classifier: WindowClassifier, concepts: tuple[str, ...]) -> None:
        self._classifier = classifier.to(self._device).eval()
        self._network = classifier.encoder
        self.card = self.published.with_outputs(concepts)
