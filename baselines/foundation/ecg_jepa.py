"""ECG-JEPA: a transformer that has learnt to predict hidden parts of eight leads."""

from __future__ import annotations

from typing import TYPE_CHECKING

from baselines.foundation.base import FineTunable
from baselines.foundation.layout import Layout
from benchmark.models.model_card import InputSpec, ModelCard

if TYPE_CHECKING:
    import torch

    from baselines.networks.ecg_jepa import EcgJepa as Network

LEADS = ("I", "II", "V1", "V2", "V3", "V4", "V5", "V6")


class EcgJepa(FineTunable):
    """The encoder of ``sehunfromdaegu/ECG_JEPA`` (commit d937ad2)."""

    published = ModelCard(
        name="ecg-jepa",
        version="1",
        description="Vision transformer on 8 leads at 250 Hz, pre-trained by predicting hidden patches.",
        licence="Code MIT; that of the weights is not stated",
        citation="Kim. Learning General Representation of 12-Lead Electrocardiogram with a Joint-Embedding "
        "Predictive Architecture. 2024. arXiv:2410.08559",
        input=InputSpec(sampling_rate=500, seconds=10, leads=LEADS),
        outputs=(),
        trained_on=("ecg-arrhythmia", "code-15"),
        parameters=85_374_720,
    )
    repository = "https://github.com/sehunfromdaegu/ECG_JEPA"
    weights_file = "multiblock_epoch100.pth"
    layout = Layout(file=weights_file, wrappers=("encoder",))

    def build(self) -> Network:
        """Build the encoder; its positions come with the weights."""
        from baselines.networks.ecg_jepa import EcgJepa as Network

        return Network()

    def prepare(self, signals: torch.Tensor) -> torch.Tensor:
        """Resample from 500 to 250 Hz; nothing is filtered or normalised."""
        from baselines.foundation.resampling import fourier_lower

        return fourier_lower(signals, signals.shape[-1] // 2).unsqueeze(1)
