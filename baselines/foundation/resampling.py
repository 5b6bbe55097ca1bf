"""Resampling by the Fourier transform, as several published models were prepared for training."""

from __future__ import annotations

import torch


def fourier_lower(signals: torch.Tensor, samples: int) -> torch.Tensor:
    """Lower the number of samples in the frequency domain, in double precision, as scipy's ``resample`` does.

    Parameters
    ----------
    signals
        ``[..., many]``
    samples
        Fewer than ``many``, or as many.
    """
    many = signals.shape[-1]
    if samples == many:
        return signals
    spectrum = torch.fft.rfft(signals.double())[..., : samples // 2 + 1].clone()
    if samples % 2 == 0:  # the highest frequency stands for itself and its mirror image
        spectrum[..., -1] *= 2
    lowered: torch.Tensor = torch.fft.irfft(spectrum, n=samples) * (samples / many)
    return lowered.to(signals.dtype)
