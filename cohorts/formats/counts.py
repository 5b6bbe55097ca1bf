"""Whole numbers of any width as the 16 bits of a recording, exactly wherever they fit."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from cohorts.recording import MISSING, Counts, DigitalRecording, Doubles, Recording

Integers = npt.NDArray[np.int64]

_SPAN = 65_534  # from -32767 to 32767; the 65,536th value marks what is missing


def digital_recording(
    values: Integers,
    missing: npt.NDArray[np.bool_],
    gain: Doubles,
    baseline: Doubles,
    sampling_rate: float,
    leads: tuple[str, ...],
) -> DigitalRecording:
    """Join integers with what they mean, ``mV = (values - baseline) / gain``.

    Where a lead's values leave 16 bits but span no more, they and their baseline are moved together, which
    changes no voltage. Where they span more they are quantised (`DigitalRecording.from_recording`).

    Parameters
    ----------
    values
        ``[leads, samples]``.
    missing
        Which of them say nothing, in the same shape.
    gain, baseline
        ``[leads]``, in counts per mV and in counts.
    """
    low = np.where(missing, np.iinfo(np.int64).max, values).min(axis=1)
    high = np.where(missing, np.iinfo(np.int64).min, values).max(axis=1)
    empty = low > high
    low, high = np.where(empty, 0, low), np.where(empty, 0, high)
    if (high - low > _SPAN).any():
        signal = (values - baseline[:, None]) / gain[:, None]
        signal[missing] = np.nan
        return DigitalRecording.from_recording(Recording(signal.astype(np.float32), sampling_rate, leads))
    fits = (low > MISSING) & (high <= -MISSING - 1)
    shift = np.where(fits, 0, (low + high) // 2)
    counts: Counts = np.where(missing, MISSING, values - shift[:, None]).astype(np.int16)
    return DigitalRecording(counts, gain, baseline - shift, sampling_rate, leads)
