"""Supervised networks of the field, trained here; all but the lightest only in runs that name them."""

from __future__ import annotations

from typing import Any

from baselines.training.crop_model import INPUT, CropModel, FrozenEncoder, Network, control_of
from baselines.training.recipes import Recipe
from benchmark.models.model_card import ModelCard

_BENCHMARK = "Strodthoff et al. Deep Learning for ECG Analysis. IEEE JBHI 2021. doi:10.1109/JBHI.2020.3022989"


def _card(name: str, description: str, citation: str) -> ModelCard:
    return ModelCard(
        name=name,
        version="1",
        description=description,
        licence="Apache-2.0",
        citation=citation,
        input=INPUT,
        outputs=(),
        probabilities=True,
        trained_on=(),
    )


class _ResNet1d(Network):
    def network(self, outputs: int) -> Any:
        """Build ``resnet1d_wang``."""
        from baselines.networks.resnet1d_wang import resnet1d_wang

        return resnet1d_wang(outputs)


class ResNet1d(_ResNet1d, CropModel):
    """``resnet1d_wang`` on crops of 2.5 s at 100 Hz.

    A recording's score is the highest over windows of 2.5 s every 1.25 s. All input is standardised
    with one mean and one standard deviation over the training data.
    """

    untrained_card = _card(
        "resnet1d",
        "resnet1d_wang of the PTB-XL benchmark, supervised, best epoch by validation.",
        _BENCHMARK,
    )
    recipe = Recipe("resnet1d")


class ResNet1dRandom(_ResNet1d, FrozenEncoder):
    """The control of `ResNet1d`."""

    on_request = True
    control_card = control_of(ResNet1d.untrained_card)


class _XResNet1d101(Network):
    def network(self, outputs: int) -> Any:
        """Build ``xresnet1d101``."""
        from baselines.networks.xresnet1d import xresnet1d101

        return xresnet1d101(outputs)


class XResNet1d101(_XResNet1d101, CropModel):
    """``xresnet1d101``, trained and asked as in the PTB-XL benchmark."""

    on_request = True
    untrained_card = _card(
        "xresnet1d101",
        "xresnet1d101 of the PTB-XL benchmark, supervised, best epoch by validation.",
        _BENCHMARK,
    )
    recipe = Recipe("xresnet1d101")


class XResNet1d101Random(_XResNet1d101, FrozenEncoder):
    """The control of `XResNet1d101`."""

    on_request = True
    control_card = control_of(XResNet1d101.untrained_card)


class _Inception1d(Network):
    def network(self, outputs: int) -> Any:
        """Build ``inception1d``."""
        from baselines.networks.inception1d import Inception1d

        return Inception1d(outputs)


class Inception1d(_Inception1d, CropModel):
    """``inception1d``, trained and asked as in the PTB-XL benchmark."""

    on_request = True
    untrained_card = _card(
        "inception1d",
        "inception1d of the PTB-XL benchmark, supervised, best epoch by validation.",
        _BENCHMARK,
    )
    recipe = Recipe("inception1d")


class Inception1dRandom(_Inception1d, FrozenEncoder):
    """The control of `Inception1d`."""

    on_request = True
    control_card = control_of(Inception1d.untrained_card)


class _S4(Network):
    """Four windows side by side, whose scores are averaged; signals stay in mV."""

    stride = 250
    join = "mean"
    standardised = False

    def network(self, outputs: int) -> Any:
        """Build the network of four state-space layers."""
        from baselines.networks.s4 import S4Classifier

        return S4Classifier(outputs)


class S4(_S4, CropModel):
    """S4, the strongest supervised network of a comparison of 2026, trained as there."""

    on_request = True
    untrained_card = _card(
        "s4",
        "Four state-space layers (S4) that look both ways, supervised, best epoch by validation.",
        "Al-Masud, Alcaraz, Strodthoff. Benchmarking ECG Foundational Models: A Reality Check Across "
        "Clinical Tasks. ICLR 2026. arXiv:2509.25095; Gu, Goel, Ré. ICLR 2022. arXiv:2111.00396",
    )
    recipe = Recipe(
        "s4", epochs=100, batch_size=64, learning_rate=1e-3, weight_decay=1e-3, schedule="constant"
    )


class S4Random(_S4, FrozenEncoder):
    """The control of `S4`."""

    on_request = True
    control_card = control_of(S4.untrained_card)
