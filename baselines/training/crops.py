"""Networks that learn from random crops and are asked about whole recordings."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

# Recordings at once: a processor is fastest while the activations stay in its cache.
AT_ONCE = {"cpu": 8}
AT_ONCE_ELSEWHERE = 512


class CropClassifier(nn.Module):
    """A network on short crops, with the one mean and scale that standardise all its input.

    Parameters
    ----------
    network
        Maps standardised crops ``[crops, leads, crop]`` to logits ``[crops, outputs]``.
    crop
        Samples of a crop.
    stride
        Samples from one window of a recording to the next.
    """

    mean: torch.Tensor
    scale: torch.Tensor

    def __init__(self, network: nn.Module, crop: int, stride: int) -> None:
        super().__init__()
        self.network = network
        self.crop = crop
        self.stride = stride
        self.register_buffer("mean", torch.zeros(1))
        self.register_buffer("scale", torch.ones(1))

    def forward(self, crops: torch.Tensor) -> torch.Tensor:
        """Map crops ``[crops, leads, crop]``, in mV, to logits ``[crops, outputs]``."""
        logits: torch.Tensor = self.network((crops - self.mean) / self.scale)
        return logits

    @torch.inference_mode()
    def scores(self, signals: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        """Score whole recordings: the highest probability over windows, each concept for itself.

        Parameters
        ----------
        signals
            float32 ``[records, leads, samples]`` in mV, at least one crop long. What remains of a
            recording after the last whole window is not looked at.

        Returns
        -------
        float32 ``[records, outputs]``, probabilities.
        """
        training = self.training
        self.eval()
        device = self.mean.device
        size = AT_ONCE.get(device.type, AT_ONCE_ELSEWHERE)
        scores = [
            self._scores(torch.tensor(signals[start : start + size]).to(device))
            for start in range(0, len(signals), size)
        ]
        self.train(training)
        return torch.cat(scores).cpu().numpy()

    def _scores(self, signals: torch.Tensor) -> torch.Tensor:
        windows = signals.unfold(-1, self.crop, self.stride).transpose(1, 2)
        records, count = windows.shape[:2]
        logits: torch.Tensor = self(windows.flatten(0, 1))
        return torch.sigmoid(logits).reshape(records, count, -1).amax(dim=1)
