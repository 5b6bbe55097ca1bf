"""What a model itself says speaks for a concept, sample by sample, summed over the parts of a recording."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from benchmark.models.contract import Batch
from benchmark.models.model_card import InputSpec
from benchmark.protocols.harmonise import window_starts
from benchmark.protocols.inference import array_of
from benchmark.protocols.occlusion import Doubles, Parts
from cohorts.errors import ModelError


def checked_saliency(answer: Any, batch: Batch, who: str) -> Doubles:
    """Check what ``explain`` returned.

    Raises
    ------
    ModelError
        If it is not one finite number for each sample of the signals.
    """
    saliency: Doubles = array_of(answer, f"{who}.explain").astype(np.float64)
    if saliency.shape != batch.signals.shape:
        raise ModelError(
            f"{who}.explain returned an array of shape {saliency.shape} instead of that of the signals, "
            f"{batch.signals.shape}."
        )
    bad = int(np.count_nonzero(~np.isfinite(saliency)))
    if bad:
        raise ModelError(f"{who}.explain returned {bad} NaN or infinite values in one batch.")
    return saliency


def summed(saliency: npt.NDArray[Any], spec: InputSpec, parts: Parts) -> Doubles:
    """Sum the saliency of all windows of a recording over its parts; what lies beyond them is left out.

    Parameters
    ----------
    saliency
        ``[windows, leads, samples]``, of the windows that ``spec`` takes and averages.

    Returns
    -------
    float64 ``[leads, parts]``; 0 for a lead that the model is not given.
    """
    found = np.zeros(parts.shape)
    samples = round(parts.samples * spec.sampling_rate / parts.rate)
    rows = [parts.leads.index(lead) for lead in spec.leads]
    for window, start in zip(saliency, window_starts(samples, spec), strict=True):
        part = ((start + np.arange(window.shape[1])) / spec.sampling_rate / parts.seconds + 1e-9).astype(int)
        inside = part < parts.shape[1]
        for row, values in zip(rows, window, strict=True):
            np.add.at(found[row], part[inside], values[inside] / len(saliency))
    return found
