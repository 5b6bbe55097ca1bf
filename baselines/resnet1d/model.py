"""The PTB-XL benchmark's residual network, trained and asked as there."""

from __future__ import annotations

from typing import Any

from baselines.training.crop_model import INPUT, CropModel, FrozenEncoder, Network, control_of
from baselines.training.recipes import Recipe
from benchmark.models.contract import ModelCard


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

    untrained_card = ModelCard(
        name="resnet1d",
        version="1",
        description="resnet1d_wang of the PTB-XL benchmark, supervised, best epoch by validation.",
        licence="Apache-2.0",
        citation="Strodthoff et al. Deep Learning for ECG Analysis. IEEE JBHI 2021. "
        "doi:10.1109/JBHI.2020.3022989",
        input=INPUT,
        outputs=(),
        probabilities=True,
        trained_on=(),
    )
    recipe = Recipe("resnet1d")


class ResNet1dRandom(_ResNet1d, FrozenEncoder):
    """The control of `ResNet1d`."""

    on_request = True
    control_card = control_of(ResNet1d.untrained_card)
