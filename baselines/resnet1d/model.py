"""The PTB-XL benchmark's residual network, trained and asked as there."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, cast

from baselines.training.recipes import Precision, Recipe
from benchmark.models.contract import Batch, FitSettings, Floats, InputSpec, ModelCard, Records
from benchmark.models.weights import load_weights, save_weights, untrained

if TYPE_CHECKING:
    import torch

    from baselines.training.crops import CropClassifier

CROP = 250
STRIDE = 125


class ResNet1d:
    """``resnet1d_wang`` on crops of 2.5 s at 100 Hz.

    A recording's score is the highest over windows of 2.5 s every 1.25 s. All input is standardised
    with one mean and one standard deviation over the training data.

    Parameters
    ----------
    device
        Where to predict, a torch device name.
    epochs
        Passes over the training records.
    precision
        Of the training: ``"32-true"`` or ``"bf16-mixed"``. Scores are always computed in single precision.
    """

    def __init__(self, device: str = "cpu", *, epochs: int = 50, precision: Precision = "32-true") -> None:
        self.card = ModelCard(
            name="resnet1d",
            version="1",
            description="resnet1d_wang of the PTB-XL benchmark, supervised, best epoch by validation.",
            licence="Apache-2.0",
            citation="Strodthoff et al. Deep Learning for ECG Analysis. IEEE JBHI 2021. "
            "doi:10.1109/JBHI.2020.3022989",
            input=InputSpec(sampling_rate=100, seconds=10),
            outputs=(),
            probabilities=True,
            trained_on=(),
        )
        self._device = device
        self._epochs = epochs
        self._precision = precision
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
            classifier, last = build(len(settings.concepts))
        mean, scale = mean_and_scale(signals[0])
        classifier.mean.fill_(mean)
        classifier.scale.fill_(scale)
        recipe = Recipe(self.card.name, epochs=self._epochs, precision=self._precision)
        learn(classifier, last, signals, labels, recipe, settings)
        self._classifier = classifier.to(self._device)
        self.card = self.card.model_copy(update={"outputs": settings.concepts})

    def predict(self, batch: Batch) -> Floats:
        """Score float32 ``[records, outputs]``, probabilities."""
        if self._classifier is None:
            raise untrained(self.card)
        return self._classifier.scores(batch.signals)

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
        classifier, _ = build(len(card.outputs))
        classifier.load_state_dict({name: torch.from_numpy(array) for name, array in arrays.items()})
        self._classifier = classifier.to(self._device).eval()
        self.card = card


def build(outputs: int) -> tuple[CropClassifier, torch.nn.Linear]:
    """Build an untrained classifier, and point at its last layer."""
    from baselines.resnet1d.network import resnet1d_wang
    from baselines.training.crops import CropClassifier

    network = resnet1d_wang(outputs)
    return CropClassifier(network, CROP, STRIDE), cast("torch.nn.Linear", network.get_submodule("6.8"))
