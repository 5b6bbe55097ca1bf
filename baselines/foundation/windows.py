"""Cutting recordings into the windows that a published model was asked about."""

from __future__ import annotations

import torch


def windows_with_signal(signals: torch.Tensor, length: int, stride: int) -> torch.Tensor:
    """Cut windows, and leave out those at the end that hold nothing but the padding of a short recording.

    All recordings must have as many windows, so those with signal are repeated in turn: the maximum over the
    windows is theirs, and the mean is theirs as nearly as the number of windows allows.

    Parameters
    ----------
    signals
        ``[records, leads, samples]``
    length, stride
        Samples of a window and from one window to the next; a remainder is left out.

    Returns
    -------
    ``[records, windows, leads, length]``
    """
    windows = signals.unfold(-1, length, stride).transpose(1, 2)
    count = windows.shape[1]
    numbers = torch.arange(count, device=signals.device)
    signal = (windows != 0).any(dim=-1).any(dim=-1)
    held = torch.where(signal, numbers + 1, 0).amax(dim=1)  # up to the last window with signal
    held = torch.where(held == 0, count, held)
    turns = numbers % held[:, None]
    return windows[torch.arange(len(windows), device=signals.device)[:, None], turns]
