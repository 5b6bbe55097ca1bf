"""Networks that learn from random crops and are asked about whole recordings."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import torch
from torch import nn
from torch.nn.functional import logsigmoid

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
    join
        How the probabilities of the windows of a recording are joined, each concept for itself.
    """

    mean: torch.Tensor
    scale: torch.Tensor

    def __init__(
        self,
        network: nn.Module,
        crop: int,
        stride: int,
        join: Literal["mean", "maximum"] = "maximum",
    ) -> None:
        super().__init__()
        self.network = network
        self.crop = crop
        self.stride = stride
        self.join = join
        self.register_buffer("mean", torch.zeros(1))
        self.register_buffer("scale", torch.ones(1))

    def forward(self, crops: torch.Tensor) -> torch.Tensor:
        """Map crops ``[crops, leads, crop]``, in mV, to logits ``[crops, outputs]``."""
        logits: torch.Tensor = self.network((crops - self.mean) / self.scale)
        return logits

    @torch.inference_mode()
    def scores(self, signals: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        """Score whole recordings by their windows.

        Parameters
        ----------
        signals
            float32 ``[records, leads, samples]`` in mV, at least one crop long. What remains of a
            recording after the last whole window is not looked at.

        Returns
        -------
        float32 ``[records, outputs]``, probabilities.
        """
        # Of a logit, bfloat16 keeps 8 bits; of a probability next to 1 these would leave nothing.
        return self._rows(lambda windows: torch.sigmoid(self(windows).float()), signals, self.join)

    @torch.inference_mode()
    def features(self, signals: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        """Give features of whole recordings, the mean over their windows: float32 ``[records, width]``.

        ``signals`` are as for `scores`; the network has ``features``.
        """
        network: Any = self.network
        return self._rows(
            lambda windows: network.features((windows - self.mean) / self.scale), signals, "mean"
        )

    def logit(self, signals: torch.Tensor, column: int) -> torch.Tensor:
        """Give the logit of one of the `scores` of recordings, differentiable by them: ``[records]``."""
        windows = signals.unfold(-1, self.crop, self.stride).transpose(1, 2)
        logits = self(windows.flatten(0, 1))[:, column].reshape(windows.shape[:2])
        if self.join == "maximum":
            highest: torch.Tensor = logits.amax(dim=1)
            return highest
        # The logit of a mean of probabilities, where these are next to 0 or 1 too.
        joined: torch.Tensor = logsigmoid(logits).logsumexp(dim=1) - logsigmoid(-logits).logsumexp(dim=1)
        return joined

    def _rows(
        self,
        step: Callable[[torch.Tensor], torch.Tensor],
        signals: npt.NDArray[np.float32],
        join: Literal["mean", "maximum"],
    ) -> npt.NDArray[np.float32]:
        training = self.training
        self.eval()
        device = self.mean.device
        size = AT_ONCE.get(device.type, AT_ONCE_ELSEWHERE)
        rows = []
        for start in range(0, len(signals), size):
            some = torch.tensor(signals[start : start + size]).to(device)
            windows = some.unfold(-1, self.crop, self.stride).transpose(1, 2)
            each = step(windows.flatten(0, 1)).float().reshape(*windows.shape[:2], -1)
            rows.append(each.mean(dim=1) if join == "mean" else each.amax(dim=1))
        self.train(training)
        return torch.cat(rows).cpu().numpy()
