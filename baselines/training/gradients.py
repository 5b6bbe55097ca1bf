"""What speaks for a score, by integrated gradients from a flat line to the recording.

Source: Sundararajan, Taly and Yan, ICML 2017, arXiv:1703.01365.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch

from benchmark.models.contract import Floats

STEPS = 32
"""Recordings between the flat line and the whole, at which gradients are taken."""


def integrated_gradients(
    score: Callable[[torch.Tensor], torch.Tensor], signals: Floats, device: str
) -> Floats:
    """Share a score out among the samples: their sum is what the recording has above a flat line.

    Parameters
    ----------
    score
        Maps signals ``[records, leads, samples]`` on the device to one score a record.
    signals
        float32 ``[records, leads, samples]``.

    Returns
    -------
    float32 ``[records, leads, samples]``
    """
    whole = torch.tensor(signals).to(device)
    total = torch.zeros_like(whole)
    for step in range(STEPS):
        part = (whole * ((step + 0.5) / STEPS)).requires_grad_()
        (gradient,) = torch.autograd.grad(score(part).sum(), part)
        total += gradient
    shares: Floats = (whole * total / STEPS).cpu().numpy().astype(np.float32)
    return shares
