"""Changes of a signal that leave every diagnosis as it is.

Nothing here swaps leads, turns a lead over, stretches time, or changes leads against each other: each of
these would make another diagnosis out of one.
"""

from __future__ import annotations

import math

import torch


def vary_signals(
    signals: torch.Tensor,
    rate: float,
    *,
    gain: float = 0.1,
    noise: float = 0.02,
    wander: float = 0.05,
    shift: float = 0.5,
) -> torch.Tensor:
    """Draw a variant of each recording from torch's generator.

    Parameters
    ----------
    signals
        ``[records, leads, samples]``, mV.
    rate
        Samples a second.
    gain
        All leads of a record are scaled by one factor, at most so much (relative) away from 1: voltage
        criteria have wider margins.
    noise
        Standard deviation, mV, of the strongest white noise; each record draws its own strength.
    wander
        Amplitude, mV, of the strongest wander of the baseline, one wave of 0.05 to 0.5 Hz for each lead.
    shift
        Seconds that the recording may move to either side; what enters is 0.

    Returns
    -------
    A new tensor of the same shape.
    """
    records, leads, samples = signals.shape

    def draw(*shape: int, low: float = 0.0, high: float = 1.0) -> torch.Tensor:
        return torch.empty(shape, device=signals.device).uniform_(low, high)

    time = torch.arange(samples, device=signals.device)
    reach = round(shift * rate)
    moved = time - torch.randint(-reach, reach + 1, (records, 1, 1), device=signals.device)
    inside = (moved >= 0) & (moved < samples)
    at = moved.clamp(0, samples - 1).expand(records, leads, samples)
    varied = signals.gather(2, at) * inside * draw(records, 1, 1, low=1 - gain, high=1 + gain)
    frequency = draw(records, leads, 1, low=0.05, high=0.5)
    phase = 2 * math.pi * (frequency * time / rate + draw(records, leads, 1))
    varied += draw(records, leads, 1, high=wander) * torch.sin(phase)
    return varied + draw(records, 1, 1, high=noise) * torch.randn_like(varied)
