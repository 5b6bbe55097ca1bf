"""Networks that see a recording as a whole, in training and after."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from baselines.training.crops import AT_ONCE, AT_ONCE_ELSEWHERE


class WholeClassifier(nn.Module):
    """A network on whole recordings, which are varied a little while it is trained.

    Parameters
    ----------
    network
        Maps prepared recordings ``[records, ...]`` to logits ``[records, outputs]``.
    augment
        Changes prepared recordings in training, and in training only.
    """

    crop = None

    def __init__(self, network: nn.Module, augment: Callable[[torch.Tensor], torch.Tensor]) -> None:
        super().__init__()
        self.network = network
        self.augment = augment

    def forward(self, prepared: torch.Tensor) -> torch.Tensor:
        """Map prepared recordings ``[records, ...]`` to logits ``[records, outputs]``."""
        logits: torch.Tensor = self.network(self.augment(prepared) if self.training else prepared)
        return logits

    @torch.inference_mode()
    def scores(self, prepared: npt.NDArray[Any]) -> npt.NDArray[np.float32]:
        """Score recordings: probabilities, float32 ``[records, outputs]``."""
        training = self.training
        self.eval()
        device = next(self.parameters()).device
        logits = in_parts(self.network, prepared, device)
        self.train(training)
        return torch.sigmoid(logits.float()).cpu().numpy()  # next to 1, bfloat16 has no room


@torch.inference_mode()
def in_parts(
    network: Callable[[torch.Tensor], torch.Tensor], prepared: npt.NDArray[Any], device: torch.device
) -> torch.Tensor:
    """Apply a network to a few recordings at a time.

    Parameters
    ----------
    network
        In evaluation mode, on ``device``.
    prepared
        ``[records, ...]``, possibly on disk.

    Returns
    -------
    What the network gives, one row a record, on ``device``.
    """
    size = AT_ONCE.get(device.type, AT_ONCE_ELSEWHERE)
    parts = [
        network(torch.tensor(prepared[start : start + size]).to(device))
        for start in range(0, len(prepared), size)
    ]
    return torch.cat(parts)
