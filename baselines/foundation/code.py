"""The residual network of CODE with its authors' weights: six abnormalities in two forms, and the age.

Its input is in mV at 400 Hz. The authors' read-mes speak of 1e-4 V and of a factor of 1000 at once, which
contradict each other; in their test set, which the network was fed with as it is, R waves measure 1 to 2.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from baselines.foundation.base import FineTunable, FoundationModel
from baselines.foundation.layout import Layout
from baselines.foundation.maps import own_labels
from benchmark.models.contract import Batch, Floats
from benchmark.models.label_map import scored_concepts
from benchmark.models.model_card import InputSpec, ModelCard

if TYPE_CHECKING:
    import torch
    from torch import nn

    from baselines.foundation.official import Official

_LABELS = own_labels("code")
_INPUT = InputSpec(sampling_rate=400, seconds=10.24)
_LICENCE = "Code MIT; that of the weights is not stated"
_DIAGNOSIS = (
    "Ribeiro et al. Automatic diagnosis of the 12-lead ECG using a deep neural network. "
    "Nature Communications 11:1760, 2020. doi:10.1038/s41467-020-15432-4"
)
_AGE = (
    "Lima et al. Deep neural network-estimated electrocardiographic age as a mortality predictor. "
    "Nature Communications 12:5117, 2021. doi:10.1038/s41467-021-25351-7"
)


def _six(name: str, form: str, parameters: int) -> ModelCard:
    return ModelCard(
        name=name,
        version="1",
        description=f"The residual network of CODE ({form}), with its authors' weights: six abnormalities.",
        licence=_LICENCE,
        citation=_DIAGNOSIS,
        input=_INPUT,
        outputs=scored_concepts(_LABELS),
        labels=_LABELS,
        probabilities=True,
        trained_on=("code-15",),
        parameters=parameters,
    )


class CodeResNet(FoundationModel):
    """Six abnormalities, as published: Keras.

    Parameters
    ----------
    device
        Where to compute, a torch device name.
    """

    published = _six("code-resnet", "Keras", 6_421_910)
    repository = "https://github.com/antonior92/automatic-ecg-diagnosis"
    weights_file = "model.hdf5"
    layout = Layout(file="model.hdf5")
    size = "keras"
    protocols = ("as-is",)

    def build(self) -> nn.Module:
        """Build the Keras form."""
        from baselines.networks.code import CodeKeras

        return CodeKeras()

    def official(self) -> Official:
        """Describe the authors' file, which is no file of torch."""
        from baselines.foundation.code_file import read_code

        return replace(super().official(), read=read_code)

    def prepare(self, signals: torch.Tensor) -> torch.Tensor:
        """Put as many zeros before a short recording as after it: one window ``[records, 1, 12, 4096]``."""
        from baselines.foundation.preparation import centred

        return centred(signals)[:, None]


class CodeResNetTorch(CodeResNet):
    """Six abnormalities, in the form of the authors' PyTorch code."""

    published = _six("code-resnet-torch", "PyTorch", 6_950_310)
    repository = "https://github.com/antonior92/ecg-age-prediction"
    weights_file = "model.pth"
    layout = Layout(file="model.pth", wrappers=("model",))
    size = "torch, 6 outputs"

    def build(self) -> nn.Module:
        """Build the PyTorch form."""
        from baselines.networks.code import CodeResNet as Network

        return Network(6)

    def official(self) -> Official:
        """Describe the authors' file."""
        return FoundationModel.official(self)


class CodeEcgAge(FineTunable):
    """The age that a recording looks like; no concept, so it is not scored.

    Parameters
    ----------
    device
        Where to compute, a torch device name.
    """

    published = ModelCard(
        name="code-ecg-age",
        version="1",
        description="CODE's network that tells the age from the ECG, with its authors' weights. Age is no "
        "concept: its features can be probed.",
        licence=_LICENCE,
        citation=_AGE,
        input=_INPUT,
        outputs=(),
        trained_on=("code-15",),
        parameters=6_924_705,
    )
    repository = "https://github.com/antonior92/ecg-age-prediction"
    weights_file = "model.pth"
    layout = Layout(file="model.pth", wrappers=("model",))
    size = "torch, 1 output"

    def build(self) -> nn.Module:
        """Build the PyTorch form with one output."""
        from baselines.networks.code import CodeResNet as Network

        return Network(1)

    def prepare(self, signals: torch.Tensor) -> torch.Tensor:
        """Put as many zeros before a short recording as after it: one window ``[records, 1, 12, 4096]``."""
        from baselines.foundation.preparation import centred

        return centred(signals)[:, None]

    def ages(self, batch: Batch) -> Floats:
        """Tell the age that each recording looks like, in years: float32 ``[records]``."""
        years: Floats = self._rows(batch, self._ready(), "mean")[:, 0]
        return years
