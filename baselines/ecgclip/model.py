"""ECGCLIP: published, pre-trained here, small, and untrained as a control."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Literal

from baselines.contrastive.model import DualEncoderModel
from baselines.contrastive.pretrained import ContrastiveModel
from baselines.training.recipe_files import Recipes
from baselines.training.recipes import Augmentation
from benchmark.models.contract import Batch, Floats
from benchmark.models.model_card import InputSpec, ModelCard

if TYPE_CHECKING:
    import torch
    from torch import nn

    from baselines.contrastive.dual_encoder import DualEncoder

LEADS = ("I", "II", "V1", "V2", "V3", "V4", "V5", "V6")
RATE = 400  # Hz, of prepared signals

RECIPE = Path(__file__).with_name("recipe.toml")
SMALL_RECIPE = Path(__file__).with_name("recipe-small.toml")

Layers = Literal[18, 34, 50]


class _Signals:
    """What ECGCLIP's encoder is and sees.

    Attributes
    ----------
    layers, width
        Of the residual network.
    shrink
        The mean of so many prepared samples in a row is one sample for the network.
    augmentation
        How signals are varied in training.
    """

    layers: Layers = 34
    width = 64
    shrink = 1

    augmentation: Augmentation | None
    _device: str

    if TYPE_CHECKING:

        def score(self, prepared: torch.Tensor, concept: str) -> torch.Tensor: ...

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

    def explain(self, batch: Batch, concept: str) -> Floats:
        """Share the score of a concept out among the samples, float32 ``[records, leads, samples]``."""
        from baselines.ecgclip.preprocessing import preprocess
        from baselines.training.gradients import integrated_gradients

        return integrated_gradients(
            lambda signals: self.score(preprocess(signals, self.shrink), concept),
            batch.signals,
            self._device,
        )

    def augment(self, prepared: torch.Tensor) -> torch.Tensor:
        """Vary gain, noise, baseline and start, as far as the recipe says."""
        from baselines.contrastive.augment import vary_signals

        return vary_signals(prepared, RATE / self.shrink, **asdict(self.augmentation or Augmentation()))


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
    """ECGCLIP's encoder in a published size beside a sentence encoder, for a GPU: 34 layers.

    The authors have published neither their text encoder nor their pre-training. With their weights (see
    `convert`) it gives features and can be fine-tuned; pre-trained here, it is prompted too. How it is
    trained stands in ``recipe.toml``.

    Parameters
    ----------
    device
        Where to predict, a torch device name.
    text
        A folder or the hub id of a text encoder; None for the one that comes with the package.
    tuned
        Whether that one is to be learnt further.
    """

    name: ClassVar[str] = "ecgclip"
    weights_file = "official.pth"

    def __init__(self, device: str = "cpu", text: str | None = None, *, tuned: bool = False) -> None:
        card = _card(
            self.name,
            f"ECGCLIP's ResNet-{self.layers} on 8 leads, pre-trained on pairs of signal and report: "
            "zero-shot scores are cosines of recording and prompt.",
        )
        super().__init__(card, Recipes.packaged(self.name, RECIPE), device, text, tuned=tuned)

    def convert(self, file: str, folder: Path) -> str:
        """Check the authors' weights, which must be of this size, and write what `load` reads."""
        from baselines.ecgclip.published import convert_ecgclip

        return convert_ecgclip(file, folder, self.layers)

    def load(self, folder: Path) -> None:
        """Restore what `save` or `convert` wrote, or raise `ModelError`."""
        from baselines.checkpoints import CARD

        if not (folder / CARD).is_file():
            super().load(folder)
            return
        from baselines.ecgclip.published import load_ecgclip

        encoder = load_ecgclip(folder, layers=self.layers)
        encoder.linear = None
        self._become(self._prompted.model_copy(update={"outputs": ()}), bare=encoder)


class EcgClipR18(EcgClip):
    """`EcgClip` with 18 layers."""

    name = "ecgclip-r18"
    layers = 18


class EcgClipR50(EcgClip):
    """`EcgClip` with 50 layers, whose features are four times as many."""

    name = "ecgclip-r50"
    layers = 50


class _Small(_Signals):
    """The same encoder, narrow and shallow, at 100 Hz."""

    layers: Layers = 18
    width = 16
    shrink = 4


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
        recipes = Recipes.packaged(card.name, RECIPE, SMALL_RECIPE)
        super().__init__(card, recipes, device, text, tuned=tuned, small=True)


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
        recipes = Recipes.packaged(card.name, RECIPE, SMALL_RECIPE)
        super().__init__(card, recipes.fine_tuning, recipes.pretraining.dim, device)
        self.augmentation = recipes.augmentation

    def initial(self) -> DualEncoder:
        """Draw the weights with the seed 0."""
        import torch

        with torch.random.fork_rng([]):
            torch.manual_seed(0)
            return self._build(self._device)
