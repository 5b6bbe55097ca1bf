"""A small CLIP on pictures of recordings, pre-trained by this suite: it needs no download."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from baselines.contrastive.pretrained import ContrastiveModel
from baselines.training.recipe_files import Recipes
from baselines.training.recipes import PretrainRecipe, Recipe
from benchmark.models.contract import Batch
from benchmark.models.model_card import InputSpec, ModelCard

if TYPE_CHECKING:
    import torch
    from torch import nn

SIZE = 224
SHIFT = 4
"""Pixels that a page may lie off its place in training."""


class ClipImageSmall(ContrastiveModel):
    """A picture of the 12-lead page and the words of the report in one space.

    Parameters
    ----------
    device
        Where to predict, a torch device name.
    text, tuned
        As for `baselines.ecgclip.model.EcgClip`.
    """

    protocols = ("zero-shot",)

    def __init__(self, device: str = "cpu", text: str | None = None, *, tuned: bool = False) -> None:
        card = ModelCard(
            name="clip-image-small",
            version="1",
            description="A small convolutional network on a 224-pixel picture of the 12-lead page (3x4 and "
            "rhythm strip, no grid), pre-trained on pairs of picture and report.",
            licence="Apache-2.0",
            citation="Contrastive pre-training of Radford et al. CLIP. ICML 2021. arXiv:2103.00020",
            input=InputSpec(sampling_rate=500, seconds=10),
            outputs="any",
            trained_on=(),
        )
        recipes = Recipes(
            PretrainRecipe(card.name, epochs=12, batch_size=64, learning_rate=2e-3, dim=128),
            Recipe(card.name, epochs=20, batch_size=32, least_steps=4, learning_rate=2e-3),
        )
        super().__init__(card, recipes, device, text, tuned=tuned, small=True)

    def build_encoder(self) -> tuple[nn.Module, int]:
        """Build the network for pages."""
        from baselines.clip_image.network import PageEncoder

        features = 256
        return PageEncoder(features=features), features

    def prepare(self, batch: Batch) -> Any:
        """Draw the pages: uint8 ``[records, 1, 224, 224]``, black on white."""
        from baselines.clip_image.rendering import render

        spec = self.card.input
        return render(batch.signals, spec.sampling_rate, spec.leads, size=SIZE, grid="none")[:, :1]

    def augment(self, prepared: torch.Tensor) -> torch.Tensor:
        """Shift each page a little, as a scanner would."""
        import torch

        rows = torch.randint(-SHIFT, SHIFT + 1, (2, len(prepared), 1, 1, 1), device=prepared.device)
        down = torch.arange(SIZE, device=prepared.device).view(1, 1, SIZE, 1)
        across = torch.arange(SIZE, device=prepared.device).view(1, 1, 1, SIZE)
        shifted = prepared.gather(2, (down + rows[0]).clamp(0, SIZE - 1).expand_as(prepared))
        return shifted.gather(3, (across + rows[1]).clamp(0, SIZE - 1).expand_as(prepared))
