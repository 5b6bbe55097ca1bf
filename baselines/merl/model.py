"""MERL's ResNet-18 with its authors' weights, as a control: features for a linear probe."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from benchmark.models.contract import Batch, Floats, InputSpec, ModelCard
from cohorts.errors import ModelError

if TYPE_CHECKING:
    from baselines.ecgclip.encoder import ResidualEncoder

# aVF before aVL, as MIMIC-IV-ECG stores them: see baselines.networks.merl, which is not imported for a name.
LEADS = ("I", "II", "III", "aVR", "aVF", "aVL", "V1", "V2", "V3", "V4", "V5", "V6")


class Merl:
    """The signal encoder, pooled over time, as its authors probe it.

    Zero-shot scores would need the tokeniser of its text encoder, which is not part of the checkpoint.

    Parameters
    ----------
    device
        Where to compute, a torch device name.
    """

    weights_file = "res18_best_ckpt.pth"

    def __init__(self, device: str = "cpu") -> None:
        self.card = ModelCard(
            name="merl",
            version="1",
            description="Signal encoder of MERL (ResNet-18), with its authors' weights.",
            licence="Code MIT; that of the weights is not stated",
            citation="Liu et al. Zero-Shot ECG Classification with Multimodal Learning and Test-time "
            "Clinical Knowledge Enhancement. ICML 2024. arXiv:2403.06659",
            input=InputSpec(sampling_rate=500, seconds=10, leads=LEADS),
            outputs=(),
            trained_on=("mimic-iv-ecg",),
        )
        self._device = device
        self._encoder: ResidualEncoder | None = None

    def convert(self, file: str, folder: Path) -> str:
        """Check the authors' file and write its weights into ``folder`` (see `convert_merl`)."""
        from baselines.merl.published import convert_merl

        return convert_merl(file, folder)

    def load(self, folder: Path) -> None:
        """Restore what `convert` wrote, or raise `ModelError`."""
        from baselines.merl.published import load_merl_encoder

        self._encoder = load_merl_encoder(folder, self._device)

    def embed(self, batch: Batch) -> Floats:
        """Features float32 ``[records, 512]``: the mean over time of the last stage."""
        import torch

        from baselines.networks.merl import min_max

        if self._encoder is None:
            raise ModelError("merl has no weights: provide them with 'leadboard weights merl --file FILE'.")
        with torch.inference_mode():
            signals = torch.from_numpy(batch.signals).to(self._device)
            features: Floats = self._encoder.features(min_max(signals)).cpu().numpy().astype(np.float32)
        return features

    def predict(self, batch: Batch) -> Floats:
        """Refuse: this model has features, not scores."""
        raise ModelError("merl has no outputs of its own; ask it with a linear probe.")
