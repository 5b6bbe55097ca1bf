"""ST-MEM: a transformer that has learnt to fill in masked parts of all leads."""

from __future__ import annotations

from typing import TYPE_CHECKING

from baselines.foundation.base import FineTunable
from baselines.foundation.layout import Layout
from benchmark.models.contract import InputSpec, ModelCard

if TYPE_CHECKING:
    import torch

    from baselines.networks.st_mem import StMem as Network

RATE = 250
CROP, STARTS = 2250, (0, 125, 250)
BAND = (0.67, 40.0)  # Hz


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
    )
    repository = "https://github.com/bakqui/ST-MEM"
    weights_file = "st_mem_vit_base_encoder.pth"
    # The file of the whole model has a decoder besides, and a second name for the patch embedding.
    layout = Layout(
        file=weights_file,
        renamed={r"^encoder\.": ""},
        aliases={r"^encoder\.(to_patch_embedding\..*)$": r"\1"},
        ignored=(r"(decoder|mask_|to_decoder|head).*",),
    )

    def build(self) -> Network:
        """Build the encoder."""
        from baselines.networks.st_mem import StMem as Network

        return Network()

    def prepare(self, signals: torch.Tensor) -> torch.Tensor:
        """Cut three crops of 9 s, filter each, and bring each to mean 0 and deviation 1 over all leads."""
        import torch
