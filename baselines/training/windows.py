"""A network on windows of prepared recordings: joined to one row a recording, and trained further."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from baselines.training.crops import AT_ONCE, AT_ONCE_ELSEWHERE

Join = Literal["mean", "maximum"]
Step = Callable[[torch.Tensor], torch.Tensor]


def joined(step: Step, windows: torch.Tensor, join: Join) -> torch.Tensor:
    """Apply a network to every window and join what it gives for the windows of one recording.

    Parameters
    ----------
    step
        Maps windows ``[windows, ...]`` to rows ``[windows, columns]``.
    windows
        Prepared recordings ``[records, windows, ...]``.

    Returns
    -------
    ``[records, columns]``
    """
    records, count = windows.shape[:2]
    rows = step(windows.flatten(0, 1)).float().reshape(records, count, -1)
    return rows.mean(dim=1) if join == "mean" else rows.amax(dim=1)


@torch.inference_mode()
def in_parts(
    step: Step, recordings: npt.NDArray[Any], device: torch.device, on_cpu: int = AT_ONCE["cpu"]
) -> npt.NDArray[np.float32]:
    """Apply something to a few recordings at a time, on a device, and collect its rows.

    Parameters
    ----------
    step
        Maps recordings ``[records, ...]`` on ``device`` to rows ``[records, columns]``.
    recordings
        ``[records, ...]``, possibly on disk.
    on_cpu
        How many at a time on a processor.
    """
    size = on_cpu if device.type == "cpu" else AT_ONCE.get(device.type, AT_ONCE_ELSEWHERE // 8)
    rows = [
        step(torch.tensor(recordings[start : start + size]).to(device))
        for start in range(0, len(recordings), size)
    ]
    return torch.cat(rows).float().cpu().numpy()


class WindowClassifier(nn.Module):
    """An encoder with a new linear layer: learns from one window a recording, is asked about all of them.

    Parameters
    ----------
    encoder
        Has ``features``, which maps windows to ``[windows, width]``.
    last
        Maps features to logits.
    join
        How the probabilities of the windows of a recording are joined.
    """

    crop = None

    def __init__(self, encoder: nn.Module, last: nn.Linear, join: Join) -> None:
        super().__init__()
        self.encoder = encoder
        self.last = last
        self.join: Join = join

    def forward(self, recordings: torch.Tensor) -> torch.Tensor:
        """Map one window, drawn at random, of each of ``[records, windows, ...]`` to logits."""
        records, count = recordings.shape[:2]
        drawn = torch.randint(count, (records,), device=recordings.device)
        return self._logits(recordings[torch.arange(records, device=recordings.device), drawn])

    def scores(self, recordings: npt.NDArray[Any]) -> npt.NDArray[np.float32]:
        """Score prepared recordings ``[records, windows, ...]``: probabilities ``[records, outputs]``."""
        training = self.training
        self.eval()
        scores = in_parts(self.probabilities, recordings, self.last.weight.device)
        self.train(training)
        return scores

    def probabilities(self, recordings: torch.Tensor) -> torch.Tensor:
        """Map prepared recordings ``[records, windows, ...]`` to joined probabilities."""
        return joined(lambda windows: torch.sigmoid(self._logits(windows).float()), recordings, self.join)

    def _logits(self, windows: torch.Tensor) -> torch.Tensor:
        encoder: Any = self.encoder
        logits: torch.Tensor = self.last(encoder.features(windows))
        return logits
