"""HuBERT-ECG with its authors' weights, in three sizes: features for a linear probe, and fine-tuning.

The fine-tuned classifiers are published without the names of their outputs, so none of them can be asked as
it is; the backbone of the small one is an entry of its own, because it has seen labelled cohorts.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal

from baselines.foundation.base import FineTunable
from baselines.foundation.layout import Layout
from benchmark.models.known_models import find_known
from benchmark.models.model_card import InputSpec, ModelCard

if TYPE_CHECKING:
    import torch
    from torch import nn

# Newer versions of torch call the two parts of a weight norm otherwise.
_RENAMED = {
    r"pos_conv_embed\.conv\.weight_g$": "pos_conv_embed.conv.parametrizations.weight.original0",
    r"pos_conv_embed\.conv\.weight_v$": "pos_conv_embed.conv.parametrizations.weight.original1",
}
_OF_PRETRAINING = (r"masked_spec_embed", r"final_proj\..*", r"label_embedding\..*")


def _card(name: str, what: str, parameters: int) -> ModelCard:
    return ModelCard(
        name=name,
        version="1",
        description=f"HuBERT-ECG, {what}, with its authors' weights: mean of its tokens over the first 5 s.",
        licence="CC BY-NC 4.0, code and weights: not for commercial use",
        citation="Coppola et al. HuBERT-ECG: a self-supervised foundation model for broad and scalable "
        "cardiac applications. medRxiv 2024. doi:10.1101/2024.11.14.24317328",
        input=InputSpec(sampling_rate=500, seconds=10),
        outputs=(),
        trained_on=_seen_by(name),
        parameters=parameters,
    )


def _seen_by(name: str) -> tuple[str, ...] | Literal["undisclosed"]:
    known = find_known(name)
    return "undisclosed" if known is None else known.trained_on


class HubertEcgSmall(FineTunable):
    """The small one, 30 M parameters.

    Parameters
    ----------
    device
        Where to compute, a torch device name.
    """

    published = _card("hubert-ecg-small", "small", 30_209_152)
    repository = "https://github.com/Edoar-do/HuBERT-ECG"
    weights_file = "Edoardo-BS/hubert-ecg-small"
    size = "small"
    layout = Layout(file="model.safetensors", renamed=_RENAMED, ignored=_OF_PRETRAINING)
    transformer: ClassVar[tuple[int, int, int]] = (512, 8, 8)
    """Width, layers and heads."""

    def build(self) -> nn.Module:
        """Build the backbone."""
        from baselines.networks.hubert import HubertEcg

        network: nn.Module = HubertEcg(*self.transformer)
        return network

    def prepare(self, signals: torch.Tensor) -> torch.Tensor:
        """Filter, scale and flatten: one window ``[records, 1, 6000]``."""
        from baselines.foundation.preparation import hubert_ecg

        return hubert_ecg(signals).float()[:, None]


class HubertEcgBase(HubertEcgSmall):
    """The middle one, 93 M parameters."""

    published = _card("hubert-ecg-base", "base", 92_798_080)
    weights_file = "Edoardo-BS/hubert-ecg-base"
    size = "base"
    transformer = (768, 12, 12)


class HubertEcgLarge(HubertEcgSmall):
    """The large one, 188 M parameters."""

    published = _card("hubert-ecg-large", "large", 187_643_776)
    weights_file = "Edoardo-BS/hubert-ecg-large"
    size = "large"
    transformer = (960, 16, 12)


class HubertEcgSmallFineTuned(HubertEcgSmall):
    """The backbone of a classifier that its authors fine-tuned, without the classifier."""

    published = _card("hubert-ecg-small-cardio-learning", "small, fine-tuned on Cardio-Learning", 30_209_152)
    weights_file = "FINE-TUNED.safetensors"
    layout = Layout(file="model.safetensors", prefix="hubert_ecg.", renamed=_RENAMED, ignored=_OF_PRETRAINING)
