"""ECGCLIP: published, pre-trained here, small, and untrained as a control."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from baselines.contrastive.model import DualEncoderModel
from baselines.contrastive.pretrained import ContrastiveModel
from baselines.training.recipes import PretrainRecipe, Recipe
from benchmark.models.contract import Batch, Floats, InputSpec, ModelCard

if TYPE_CHECKING:
    import torch
    from torch import nn

    from baselines.contrastive.dual_encoder import DualEncoder

LEADS = ("I", "II", "V1", "V2", "V3", "V4", "V5", "V6")
RATE = 400  # Hz, of prepared signals

Layers = Literal[18, 34, 50]


class _Signals:
    """What ECGCLIP's encoder is and sees.

    Attributes
    ----------
    layers, width
        Of the residual network.
    shrink
        The mean of so many prepared samples in a row is one sample for the network.
    """

    layers: Layers = 34
    width = 64
    shrink = 1

    _device: str

    def build_encoder(self) -> tuple[nn.Module, int]:
        """Build the residual network without its last layer."""
        from baselines.ecgclip.encoder import ResidualEncoder

        encoder = ResidualEncoder(self.layers, leads=len(LEADS), outputs=None, width=self.width)
        return encoder, encoder.embedding_size

    def prepare(self, batch: Batch) -> Floats:
        """Filter and resample as ECGCLIP does: float32 ``[records, 8, 4096 / shrink]``, mV."""
        import torch

        from baselines.ecgclip.preprocessing import preprocess

        return preprocess(torch.tensor(batch.signals).to(self._device), self.shrink).cpu().numpy()

    def augment(self, prepared: torch.Tensor) -> torch.Tensor:
        """Vary gain, noise, baseline and start."""
        from baselines.contrastive.augment import vary_signals

        return vary_signals(prepared, RATE / self.shrink)


def _card(name: str, description: str) -> ModelCard:
    return ModelCard(
        name=name,
        version="1",
        description=description,
        licence="Apache-2.0",
        citation="Encoder and input of ECG-CLIP, https://github.com/dt-yuhui/ECG-CLIP; contrastive "
        "pre-training of Radford et al. CLIP. ICML 2021. arXiv:2103.00020",
        input=InputSpec(sampling_rate=500, seconds=10, leads=LEADS),
        outputs="any",
        trained_on=(),
    )


class EcgClip(_Signals, ContrastiveModel):
    """ECGCLIP's encoder in its published size beside a sentence encoder, for a GPU.

    The authors have published neither their text encoder nor their pre-training. With their weights (see
    `convert`) it gives features and can be fine-tuned; pre-trained here, it is prompted too.

    Parameters
    ----------
    device
        Where to predict, a torch device name.
    text
        A folder or the hub id of a text encoder; None for the one that comes with the package.
    tuned
        Whether that one is to be learnt further.
    """

    weights_file = "official.pth"

    def __init__(self, device: str = "cpu", text: str | None = None, *, tuned: bool = False) -> None:
        card = _card(
            "ecgclip",
            "ECGCLIP's ResNet-34 on 8 leads, pre-trained on pairs of signal and report: zero-shot scores are "
            "cosines of recording and prompt.",
        )
        pretraining = PretrainRecipe(card.name, epochs=20, batch_size=512, learning_rate=1e-3)
        fitting = Recipe(card.name, epochs=20, least_steps=4, learning_rate=1e-3)
        super().__init__(card, pretraining, fitting, device, text, tuned=tuned)

    def convert(self, file: str, folder: Path) -> str:
        """Check the authors' weights and write what `load` reads; see `convert_ecgclip`."""
        from baselines.ecgclip.published import convert_ecgclip

        return convert_ecgclip(file, folder)

    def load(self, folder: Path) -> None:
        """Restore what `save` or `convert` wrote, or raise `ModelError`."""
        from baselines.checkpoints import CARD

        if not (folder / CARD).is_file():
            super().load(folder)
            return
        from baselines.ecgclip.published import load_ecgclip

        encoder = load_ecgclip(folder)
        encoder.linear = None
        self.recognise(encoder.state_dict())
        self._become(self._prompted.model_copy(update={"outputs": ()}), bare=encoder)

    def recognise(self, tensors: Collection[str]) -> None:
        """Take the number of layers from the names of tensors: the authors' code has three sizes."""
        layers_of: dict[str, Layers] = {"layer1.0.conv3.weight": 50, "layer1.2.conv1.weight": 34}
        self.layers = next(
            (layers_of[end] for end in layers_of if any(name.endswith(end) for name in tensors)), 18
        )


class _Small(_Signals):
    """The same encoder, narrow and shallow, at 100 Hz."""

    layers: Layers = 18
    width = 16
    shrink = 4


def _small_recipe(name: str) -> Recipe:
    return Recipe(name, epochs=20, batch_size=32, least_steps=4, learning_rate=2e-3)


class EcgClipSmall(_Small, ContrastiveModel):
    """ECGCLIP for a processor: the same recipe with a narrow ResNet-18 at 100 Hz.

    Parameters
    ----------
    device
        Where to predict, a torch device name.
    text, tuned
        As for `EcgClip`.
    """

    def __init__(self, device: str = "cpu", text: str | None = None, *, tuned: bool = False) -> None:
        card = _card(
            "ecgclip-small",
            "A narrow ResNet-18 on ECGCLIP's 8 leads at 100 Hz, pre-trained on pairs of signal and report: "
            "zero-shot scores are cosines of recording and prompt.",
        )
        pretraining = PretrainRecipe(card.name, epochs=20, batch_size=64, learning_rate=1e-3, dim=128)
        fitting = _small_recipe(card.name)
        super().__init__(card, pretraining, fitting, device, text, tuned=tuned, small=True)


class EcgClipSmallRandom(_Small, DualEncoderModel):
    """The control: `EcgClipSmall` as it is before any training, drawn with the seed 0.

    Parameters
    ----------
    device
        Where to predict, a torch device name.
    """

    def __init__(self, device: str = "cpu") -> None:
        card = _card(
            "ecgclip-small-random",
            "Control: encoder and projections of ecgclip-small with random weights (seed 0), not trained.",
        )
        card = card.model_copy(update={"control_for": "ecgclip-small"})
        super().__init__(card, _small_recipe(card.name), 128, device)

    def initial(self) -> DualEncoder:
        """Draw the weights with the seed 0."""
        import torch

        with torch.random.fork_rng([]):
            torch.manual_seed(0)
            return self._build(self._device)
