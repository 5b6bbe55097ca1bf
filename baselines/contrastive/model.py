"""What every model with a dual encoder can do, whatever its encoder looks at."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from baselines.training.recipes import Recipe
from benchmark.models.contract import Batch, FitSettings, Floats, Records
from benchmark.models.model_card import ModelCard
from benchmark.models.weights import load_weights, save_weights, untrained
from cohorts.errors import ModelError

if TYPE_CHECKING:
    import torch
    from torch import nn

    from baselines.contrastive.dual_encoder import DualEncoder
    from baselines.text.encoders import TextEncoder
    from baselines.training.whole import WholeClassifier

TEXT = "text"  # folder of a text encoder that is saved with the model


class DualEncoderModel(ABC):
    """Zero-shot scores, features and fine-tuning; the subclass says what the encoder is and sees.

    A subclass gives `build_encoder`, `prepare` and `augment`. Scores are cosines of a recording and each
    concept until `fit` makes a classifier of the encoder, and probabilities from then on.

    Parameters
    ----------
    card
        With ``outputs="any"``.
    fitting
        How to fine-tune.
    dim
        Of the space that signals and texts share.
    device
        Where to predict, a torch device name.
    text
        A folder or the hub id of a text encoder; None for the one that comes with the package.
    tuned
        Whether that one is to be learnt further.
    """

    multilingual = False
    bfloat16 = True

    def __init__(
        self,
        card: ModelCard,
        fitting: Recipe,
        dim: int,
        device: str = "cpu",
        text: str | None = None,
        *,
        tuned: bool = False,
    ) -> None:
        self.card = card
        self.fitting = fitting
        self.dim = dim
        self._prompted = card
        self._device = device
        self._text = text
        self._tuned = tuned
        self._network: DualEncoder | None = None
        self._bare: nn.Module | None = None
        self._classifier: WholeClassifier | None = None
        self._concepts: torch.Tensor | None = None
        self._asked: tuple[str, ...] = ()

    @abstractmethod
    def build_encoder(self) -> tuple[nn.Module, int]:
        """Build an untrained encoder of prepared recordings, and tell the width of its features."""

    @abstractmethod
    def prepare(self, batch: Batch) -> Any:
        """Make what the encoder is given: a float32 or uint8 array, each record for itself."""

    @abstractmethod
    def augment(self, prepared: torch.Tensor) -> torch.Tensor:
        """Vary prepared recordings in training, so that each keeps its diagnosis."""

    def initial(self) -> DualEncoder | None:
        """Give the weights of a model that was neither trained nor loaded, where it is meant to have some."""
        return None

    def set_concepts(self, prompts: Mapping[str, tuple[str, ...]]) -> None:
        """Take concept id -> descriptions; ``predict`` then gives one column each, in this order."""
        if self._classifier is not None:
            raise ModelError(f"{self.card.name} was fine-tuned to fixed concepts and reads no descriptions.")
        self._concepts = self._dual_encoder().place_concepts(prompts)
        self._asked = tuple(prompts)

    def predict(self, batch: Batch) -> Floats:
        """Score float32 ``[records, concepts]``."""
        import torch

        from baselines.training.whole import in_parts

        if self._classifier is not None:
            return self._classifier.scores(self.prepare(batch))
        network = self._dual_encoder()
        if self._concepts is None:
            raise ModelError(f"{self.card.name} has no concepts to score: call set_concepts first.")
        placed = in_parts(network.place_signals, self.prepare(batch), self._concepts.device)
        with torch.autocast(placed.device.type, enabled=False):  # cosines in bfloat16 would be full of ties
            scores = placed.float() @ self._concepts.T
        return scores.cpu().numpy()

    def score(self, prepared: torch.Tensor, concept: str) -> torch.Tensor:
        """Score recordings for one concept, differentiable by them: cosines, or logits after `fit`."""
        if self._classifier is not None:
            logits: torch.Tensor = self._classifier(prepared)
            return logits[:, self.card.outputs.index(concept)]
        network = self._dual_encoder()
        if self._concepts is None:
            raise ModelError(f"{self.card.name} has no concepts to score: call set_concepts first.")
        return network.place_signals(prepared) @ self._concepts[self._asked.index(concept)]

    def embed(self, batch: Batch) -> Floats:
        """Give features float32 ``[records, width]``, from before the projection."""
        from baselines.training.whole import in_parts

        encoder = self._encoder()
        if encoder is None:
            raise untrained(self.card)
        device = next(encoder.parameters()).device
        return in_parts(encoder, self.prepare(batch), device).float().cpu().numpy()

    def fit(self, training: Records, validation: Records, settings: FitSettings) -> None:
        """Fine-tune a copy of the encoder with a new linear head; ``validation`` decides the epoch."""
        import copy

        import torch
        from torch import nn

        from baselines.training.recordings_file import write_recordings
        from baselines.training.supervised import both_labels, learn
        from baselines.training.whole import WholeClassifier

        labels = both_labels(training, validation, settings, self.card.name)
        signals = (
            write_recordings(training, settings.folder / "training.npy", self.prepare),
            write_recordings(validation, settings.folder / "validation.npy", self.prepare),
        )
        with torch.random.fork_rng([]):
            torch.manual_seed(settings.seed)
            encoder, width = self.build_encoder()
            if (present := self._encoder()) is not None:
                encoder = copy.deepcopy(present).cpu()
            last = nn.Linear(width, len(settings.concepts))
        classifier = WholeClassifier(nn.Sequential(encoder, last), self.augment)
        learn(classifier, last, signals, labels, self.fitting, settings)
        self._become_classifier(classifier, settings.concepts)

    def save(self, folder: Path) -> None:
        """Write the weights into ``folder``, and the text encoder unless it is the package's own."""
        if self._classifier is not None:
            save_weights(folder, self.card, _arrays(self._classifier))
            return
        network = self._dual_encoder()
        if self._text is not None or self._tuned:
            (folder / TEXT).mkdir()
            network.reader.save(folder / TEXT)
        own = {name: array for name, array in _arrays(network).items() if not name.startswith("text.")}
        save_weights(folder, self.card.model_copy(update={"outputs": ()}), own)

    def load(self, folder: Path) -> None:
        """Restore what `save` wrote, or raise `ModelError`."""
        import torch
        from torch import nn

        from baselines.training.whole import WholeClassifier

        card, arrays = load_weights(folder, self._prompted)
        state = {name: torch.from_numpy(array) for name, array in arrays.items()}
        if isinstance(card.outputs, tuple) and card.outputs:
            encoder, width = self.build_encoder()
            head = nn.Linear(width, len(card.outputs))
            classifier = WholeClassifier(nn.Sequential(encoder, head), self.augment)
            classifier.load_state_dict(state)
            self._become_classifier(classifier, card.outputs)
            return
        network = self._build(self._device, folder / TEXT if (folder / TEXT).is_dir() else None)
        text = network.text.state_dict() if network.text is not None else {}
        network.load_state_dict(state | {f"text.{name}": value for name, value in text.items()})
        self._become(self._prompted, network=network)

    def _build(self, device: str, saved_text: Path | None = None, **temperatures: float) -> DualEncoder:
        """Build a dual encoder from torch's generator."""
        from baselines.contrastive.dual_encoder import DualEncoder

        encoder, width = self.build_encoder()
        return DualEncoder(encoder, width, self._open_text(device, saved_text), self.dim, **temperatures)

    def _open_text(self, device: str, saved: Path | None) -> TextEncoder:
        from baselines.text.encoders import TextEncoder, packaged_encoder, packaged_folder

        if saved is None and self._text is None and not self._tuned:
            return packaged_encoder(device)
        source = saved or self._text or packaged_folder()
        return TextEncoder(source, tuned=self._tuned).to(device)

    def _become(
        self,
        card: ModelCard,
        *,
        network: DualEncoder | None = None,
        classifier: WholeClassifier | None = None,
        bare: nn.Module | None = None,
    ) -> None:
        """Be one of three: a dual encoder, a classifier, or an encoder without a text side."""
        for module in (network, classifier, bare):
            if module is not None:
                module.to(self._device).eval()
        self._network, self._classifier, self._bare, self._concepts = network, classifier, bare, None
        self.card = card

    def _become_classifier(self, classifier: WholeClassifier, concepts: tuple[str, ...]) -> None:
        # Of a card, the suite lets a training change the outputs and nothing else.
        self._become(self._prompted.model_copy(update={"outputs": concepts}), classifier=classifier)

    def _dual_encoder(self) -> DualEncoder:
        if self._bare is not None:
            raise ModelError(
                f"These weights of {self.card.name} have no text side: fine-tune it, probe its features, or "
                "pre-train it here."
            )
        if self._encoder() is None or self._network is None:
            raise untrained(self.card)
        return self._network

    def _encoder(self) -> nn.Module | None:
        """Give the encoder as it is now, or None if there is none yet."""
        if self._classifier is not None:
            return self._classifier.network.get_submodule("0")
        if self._bare is not None:
            return self._bare
        if self._network is None and (network := self.initial()) is not None:
            self._become(self.card, network=network)
        return self._network.encoder if self._network is not None else None


def _arrays(module: nn.Module) -> dict[str, np.ndarray[Any, Any]]:
    return {name: tensor.cpu().numpy() for name, tensor in module.state_dict().items()}
