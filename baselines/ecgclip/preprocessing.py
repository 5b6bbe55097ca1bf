"""What ECGCLIP does to a signal before its encoder sees it, twice: as filters and as one matrix.

The recipe is that of ``dt-yuhui/ECG-CLIP`` (commit 8cea0fe, ``VHD-Survival/dataset/SurvivalDataset.py``):

1. Butterworth band-pass of order 3, 0.5 to 100 Hz, as a transfer function, forwards and backwards with
   Gustafsson's initial conditions.
2. Notches of quality 30 at 50 Hz and its multiples up to 250 Hz, forwards and backwards. The last one is
   on the Nyquist frequency, where its pole is cancelled; it is applied all the same.
3. Polyphase resampling from 500 to 400 Hz.
4. Zeros on both sides up to 4,096 samples.

There is no normalisation. The authors' files hold int16 counts of 0.00244 mV: multiply them first.

Every step is linear, so the whole of it is a matrix of 5,000 x 4,000. `reference` runs the filters in double
precision; `preprocess` multiplies by the matrix on the device of the signals, which costs a small part of
what the network costs, where the filters would hold up a GPU.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import numpy.typing as npt
import torch
from scipy.signal import butter, filtfilt, iirnotch, resample_poly

RATE_IN, RATE_OUT = 500, 400
SAMPLES_IN, SAMPLES_OUT = 5000, 4096
BAND = (0.5, 100.0)
NOTCHES = (50, 100, 150, 200, 250)
QUALITY = 30

_RESAMPLED = SAMPLES_IN * RATE_OUT // RATE_IN
_PADDING = (SAMPLES_OUT - _RESAMPLED) // 2
_UNIT_VECTORS_AT_ONCE = 500

Doubles = npt.NDArray[np.float64]


def reference(signals: npt.ArrayLike) -> Doubles:
    """Filter, resample and pad in double precision, with scipy.

    Parameters
    ----------
    signals
        ``[..., 5000]``, mV at 500 Hz.

    Returns
    -------
    numpy.ndarray
        float64 ``[..., 4096]``, mV at 400 Hz.

    Raises
    ------
    ValueError
        If a signal is not 5,000 samples long.
    """
    x = np.asarray(signals, dtype=np.float64)
    _check_length(x.shape[-1])
    y = filtfilt(*butter(3, BAND, btype="bandpass", fs=RATE_IN), x, method="gust")
    for frequency in NOTCHES:
        y = filtfilt(*iirnotch(frequency, QUALITY, fs=RATE_IN), y, padtype="constant")
    y = resample_poly(y, RATE_OUT, RATE_IN, axis=-1)
    padded: Doubles = np.pad(y, [(0, 0)] * (y.ndim - 1) + [(_PADDING, _PADDING)])
    return padded


def preprocess(signals: torch.Tensor, shrink: int = 1) -> torch.Tensor:
    """Do what `reference` does, on the device of ``signals``.

    The first call in a process takes some seconds, in which the matrix is made. A lead's result depends on
    that lead only.

    Parameters
    ----------
    signals
        float32 ``[..., 5000]``, mV at 500 Hz.
    shrink
        The mean of so many samples in a row is one sample of the result; a divisor of 16. It is part of the
        matrix, so that a small network is not kept waiting for samples that it would average.

    Returns
    -------
    torch.Tensor
        float32 ``[..., 4096 / shrink]``, mV at 400 Hz / shrink, within 1e-4 mV of `reference` for what a body
        can produce.

    Raises
    ------
    ValueError
        If a signal is not 5,000 samples long, or ``shrink`` is no divisor of 16.
    """
    _check_length(signals.shape[-1])
    if 16 % shrink:
        raise ValueError(f"shrink is {shrink}, which does not divide 16")
    matrix, of_constant = _matrix_on(signals.device, shrink)
    with torch.autocast(signals.device.type, enabled=False):  # half precision is too coarse for a filter
        signals = signals.float()
        # Without its offset a signal is small, and loses nothing in the sums of single precision.
        offset = signals.mean(dim=-1, keepdim=True)
        filtered = (signals - offset) @ matrix + offset * of_constant
    return torch.nn.functional.pad(filtered, (_PADDING // shrink, _PADDING // shrink))


@lru_cache(maxsize=1)
@torch.inference_mode(False)  # else what a first prediction leaves here would be of no use in a training
def _matrix() -> tuple[torch.Tensor, torch.Tensor]:
    """Compute what the recipe makes of each unit vector ``[5000, 4000]``, and of a constant 1 ``[4000]``."""
    matrix = torch.empty(SAMPLES_IN, _RESAMPLED)
    for start in range(0, SAMPLES_IN, _UNIT_VECTORS_AT_ONCE):
        rows = reference(np.eye(_UNIT_VECTORS_AT_ONCE, SAMPLES_IN, start))
        matrix[start : start + len(rows)] = torch.from_numpy(rows[:, _PADDING:-_PADDING])
    of_constant = reference(np.ones(SAMPLES_IN))[_PADDING:-_PADDING]
    return matrix, torch.from_numpy(of_constant).float()


@lru_cache
@torch.inference_mode(False)
def _matrix_on(device: torch.device, shrink: int) -> tuple[torch.Tensor, torch.Tensor]:
    def shrunk(columns: torch.Tensor) -> torch.Tensor:
        return columns.reshape(*columns.shape[:-1], -1, shrink).mean(dim=-1).to(device)

    matrix, of_constant = _matrix()
    return shrunk(matrix), shrunk(of_constant)


def _check_length(samples: int) -> None:
    if samples != SAMPLES_IN:
        raise ValueError(f"ECGCLIP reads {SAMPLES_IN} samples at {RATE_IN} Hz, not {samples} samples")
