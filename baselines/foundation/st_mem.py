"""ST-MEM: a transformer that has learnt to fill in masked parts of all leads."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from baselines.foundation.base import FineTunable
from baselines.foundation.layout import Layout
from benchmark.models.model_card import InputSpec, ModelCard

if TYPE_CHECKING:
    import torch

    from baselines.networks.st_mem import StMem as Network

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
        input=InputSpec(sampling_rate=250, seconds=10),
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
        """Cut three crops of 9 s, filter each, and standardise each over all leads."""
        from baselines.foundation.preparation import st_mem

        return st_mem(signals)
