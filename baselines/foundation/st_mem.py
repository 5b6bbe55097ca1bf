"""ST-MEM: a transformer that has learnt to fill in masked parts of all leads."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from baselines.foundation.base import FineTunable
from baselines.foundation.layout import Layout
from benchmark.models.contract import InputSpec, ModelCard

if TYPE_CHECKING:
    import torch

    from baselines.foundation.filters import ZeroPhase
    from baselines.networks.st_mem import StMem as Network

RATE = 250
CROP, STARTS = 2250, (0, 125, 250)
BAND = (0.67, 40.0)  # Hz
ENCODER = "encoder."


class StMem(FineTunable):
    """The encoder of ``bakqui/ST-MEM`` (commit 69ec702)."""

    published = ModelCard(
        name="st-mem",
        version="1",
        description="Vision transformer (ViT-B/75) on 12 leads at 250 Hz, pre-trained by filling in masked "
        "patches; three crops of 9 s, averaged.",
        licence="CC BY-NC 4.0 (code and weights), all rights reserved by VUNO: not for commercial use",
        citation="Na et al. Guiding Masked Representation Learning to Capture Spatio-Temporal Relationship "
        "of Electrocardiogram. ICLR 2024. arXiv:2402.09450",
        input=InputSpec(sampling_rate=RATE, seconds=10),
        outputs=(),
        trained_on=("ecg-arrhythmia", "code-15"),
        parameters=85_150_614,
    )
    repository = "https://github.com/bakqui/ST-MEM"
    weights_file = "st_mem_vit_base_encoder.pth"
    layout = Layout(file=weights_file, ignored=(r"head\..*",))

    def build(self) -> Network:
        """Build the encoder."""
        from baselines.networks.st_mem import StMem as Network

        return Network()

    def convert(self, file: str, folder: Path) -> str:
        """Check a file of the encoder, or of the whole model, and write what `load` reads."""
        from baselines.foundation.official import tensors_of

        whole = any(name.startswith(ENCODER) for name in tensors_of(file, self.layout))
        if whole:  # besides there are a decoder and a second name of the patch embedding
            self.layout = replace(self.layout, prefix=ENCODER)
        return super().convert(file, folder)

    def prepare(self, signals: torch.Tensor) -> torch.Tensor:
        """Cut three crops of 9 s, filter each, and bring each to mean 0 and deviation 1 over all leads."""
        import torch

        crops = torch.stack([signals[..., start : start + CROP] for start in STARTS], dim=1)
        filtered = _low_pass()(_high_pass()(crops.double()))
        centred = filtered - filtered.mean(dim=(-2, -1), keepdim=True)
        deviation = centred.square().mean(dim=(-2, -1), keepdim=True).sqrt()
        return torch.where(deviation > 0, centred / deviation, centred).to(signals.dtype)


@cache
def _high_pass() -> ZeroPhase:
    from scipy.signal import butter

    from baselines.foundation.filters import ZeroPhase

    return ZeroPhase(butter(5, BAND[0], "highpass", fs=RATE, output="sos"))


@cache
def _low_pass() -> ZeroPhase:
    from scipy.signal import butter

    from baselines.foundation.filters import ZeroPhase

    return ZeroPhase(butter(5, BAND[1], "lowpass", fs=RATE, output="sos"))
