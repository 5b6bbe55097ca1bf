"""The PTB-XL benchmark's networks with weights that were trained there, on the 71 statements of PTB-XL."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from baselines.foundation.base import FoundationModel
from baselines.foundation.layout import Layout
from baselines.foundation.maps import own_labels
from benchmark.models.model_card import InputSpec, ModelCard

if TYPE_CHECKING:
    import torch

CLASSES = 71
CROP, STRIDE = 250, 125
MEAN, SCALE = -0.0007771724002828525, 0.23895642180464072
"""Of all samples and leads of the training records, mV: the released experiment ``exp0``."""


def _card(name: str, network: str, parameters: int) -> ModelCard:
    return ModelCard.model_validate(
        {
            "name": name,
            "version": "1",
            "description": f"{network} of the PTB-XL benchmark with its authors' weights (experiment exp0, "
            "71 statements); the highest score over windows of 2.5 s.",
            "licence": "GPL-3.0 (code and weights of the authors)",
            "citation": "Strodthoff et al. Deep Learning for ECG Analysis. IEEE JBHI 2021. "
            "doi:10.1109/JBHI.2020.3022989",
            "input": InputSpec(sampling_rate=100, seconds=10),
            "labels": own_labels("ptbxl"),
            "probabilities": True,
            "trained_on": ("ptb-xl",),
            "parameters": parameters,
        }
    )


class _Benchmark(FoundationModel):
    """One of the networks: windows of 2.5 s every 1.25 s, standardised, joined by the maximum."""

    repository = "https://github.com/helme/ecg_ptbxl_benchmarking"
    join = "maximum"

    def prepare(self, signals: torch.Tensor) -> torch.Tensor:
        """Cut windows and standardise them with the mean and scale of the training records."""
        from baselines.foundation.windows import windows_with_signal

        return (windows_with_signal(signals, CROP, STRIDE) - MEAN) / SCALE


class XResNet1d101(_Benchmark):
    """``xresnet1d101``, of which the authors' repository has a trained one."""

    published = _card("ptbxl-xresnet1d101", "xresnet1d101", 1_880_775)
    weights_file = "fastai_xresnet1d101.pth"
    layout = Layout(file=weights_file, aliases={r"\.convpath\.0\.": ".convs."})

    def build(self) -> Any:
        """Build the network."""
        from baselines.networks.xresnet1d import xresnet1d101

        return xresnet1d101(CLASSES)


class Inception1d(_Benchmark):
    """``inception1d``."""

    published = _card("ptbxl-inception1d", "inception1d", 516_167)
    weights_file = "fastai_inception1d.pth"
    layout = Layout(file=weights_file)

    def build(self) -> Any:
        """Build the network."""
        from baselines.networks.inception1d import Inception1d as Network

        return Network(CLASSES)


class ResNet1dWang(_Benchmark):
    """``resnet1d_wang``."""

    published = _card("ptbxl-resnet1d-wang", "resnet1d_wang", 481_863)
    weights_file = "fastai_resnet1d_wang.pth"
    layout = Layout(file=weights_file)

    def build(self) -> Any:
        """Build the network."""
        from baselines.networks.resnet1d_wang import resnet1d_wang

        return resnet1d_wang(CLASSES)
