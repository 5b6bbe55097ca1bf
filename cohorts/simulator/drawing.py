"""From a heart and its beats to a recording without noise."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from cohorts.simulator.heart import TWELVE_FROM_EIGHT, Heart, Wave, project
from cohorts.simulator.rhythm import Beats

Doubles = npt.NDArray[np.float64]
Floats = npt.NDArray[np.float32]

_T_SHAPE = np.array([[-0.105, 0.045, 0.55], [-0.068, 0.028, 0.72]])
"""Two lobes of a T wave for a QT of 0.4 s: seconds before its end, width, weight."""


def draw(heart: Heart, beats: Beats, seconds: float, rate: float, now: np.random.Generator) -> Floats:
    """Noise-free recording.

    Parameters
    ----------
    seconds
        Length of the recording.
    rate
        Sampling rate in Hz.

    Returns
    -------
    numpy.ndarray
        float32 ``[8, samples]`` in mV, rows as `EIGHT_LEADS`.
    """
    samples = round(seconds * rate)
    signal = np.zeros((8, samples), np.float32)
    breathing = np.sin(2 * np.pi * (0.24 * np.arange(samples, dtype=np.float32) / rate + now.random()))
    breath = 1 + np.outer(heart.respiration, breathing).astype(np.float32)
    _add(signal, _projected(heart, heart.p, rate, 0.05, 0.16 + heart.p.duration), beats.p, rate, breath)
    _add(signal, _projected(heart, heart.early_p, rate, 0.05, 0.26), beats.early_p, rate, breath)
    _add(signal, _beat(heart, rate, premature=False), beats.qrs, rate, breath)
    if len(beats.pvc):
        _add(signal, _beat(heart, rate, premature=True), beats.pvc, rate, breath)
    if heart.spike is not None:
        _add(signal, _spike(heart, heart.spike, rate), beats.qrs - 0.012, rate, breath)
    if heart.fibrillation or heart.flutter:
        signal += _atrial_waves(heart, beats, samples, rate, now)
    return signal


def twelve_leads(signal: npt.NDArray[np.floating]) -> Floats:
    """All `STANDARD_LEADS` ``[12, samples]`` from the eight independent ones."""
    return project(TWELVE_FROM_EIGHT.astype(np.float32), signal.astype(np.float32))


def _projected(heart: Heart, wave: Wave, rate: float, before: float, after: float) -> tuple[Floats, int]:
    """Project a wave to ``[8, samples]``, and count the samples from its start to the onset."""
    start = round(before * rate)
    time = (np.arange(start + round(after * rate)) - start) / rate
    return project(heart.leads, wave.at(time)).astype(np.float32), start


def _repolarisation(time: Doubles, onset: float, qt: float, st: Doubles, slope: float, t: Doubles) -> Doubles:
    """ST segment and T wave ``[3, samples]`` of a beat whose J point is at ``onset``."""
    k = qt / 0.4
    centres, widths, weights = _T_SHAPE[:, 0] * k + qt, _T_SHAPE[:, 1] * k, _T_SHAPE[:, 2]
    t_wave = weights @ np.exp(-0.5 * ((time - centres[:, None]) / widths[:, None]) ** 2)
    end = qt - 0.095 * k
    with np.errstate(over="ignore"):
        level = 1 / (1 + np.exp((onset - time) / 0.005)) / (1 + np.exp((time - end) / (0.022 * k)))
    level = level * (1 + slope * (time - onset) / max(end - onset, 0.05))
    return np.asarray(st[:, None] * level + t[:, None] * t_wave)


def _beat(heart: Heart, rate: float, premature: bool) -> tuple[Floats, int]:
    """QRS, ST and T of one beat in the eight leads, and samples from its start to the onset."""
    before = round(0.06 * rate)
    qt = max(heart.qt, 0.36) if premature else heart.qt
    time = (np.arange(before + round((qt + 0.14) * rate)) - before) / rate
    wave = heart.pvc if premature else heart.qrs
    if premature:  # repolarises against its own activation, as every ventricular beat
        against = -wave.area / np.linalg.norm(wave.area)
        st, slope, t = 0.12 * against, 0.8, 0.42 * against
    else:
        st, slope, t = heart.st, heart.st_slope, heart.t
    dipole = wave.at(time) + _repolarisation(time, wave.duration - 0.008, qt, st, slope, t)
    return project(heart.leads, dipole).astype(np.float32), before


def _spike(heart: Heart, stimulus: Doubles, rate: float) -> tuple[Floats, int]:
    """Make a pacing stimulus: one sample and its small after-potential."""
    shape = np.array([1.0, -0.12, -0.08, -0.04]) if rate < 700 else np.array([1.0, 0.9, -0.12, -0.1, -0.05])
    return (heart.leads @ stimulus[:, None] * shape).astype(np.float32), 0


def _add(signal: Floats, template: tuple[Floats, int], times: Doubles, rate: float, breath: Floats) -> None:
    """Add a template at every time; ``breath`` ``[8, samples]`` scales it."""
    shape, before = template
    width, samples = shape.shape[1], signal.shape[1]
    for start in np.rint(times * rate).astype(np.int64) - before:
        first, last = max(0, int(start)), min(samples, int(start) + width)
        if first < last:
            scale = breath[:, min(max(int(start), 0), samples - 1)][:, None]
            signal[:, first:last] += shape[:, first - start : last - start] * scale


def _atrial_waves(heart: Heart, beats: Beats, samples: int, rate: float, now: np.random.Generator) -> Floats:
    """Fibrillatory or flutter waves ``[8, samples]``."""
    time = np.arange(samples) / rate
    if heart.flutter:
        phase = (time - beats.flutter_start) / beats.flutter_cycle % 1.0
        saw = np.where(phase < 0.72, 0.5 - phase / 0.72, (phase - 0.72) / 0.28 - 0.5)
        direction = heart.leads @ np.array([-0.10, 1.0, 0.16])
        return (heart.flutter * np.outer(direction, saw)).astype(np.float32)
    frequency = now.uniform(5.0, 7.5)
    drift = 0.7 * np.sin(2 * np.pi * (now.uniform(0.1, 0.3) * time + now.random()))
    phase = 2 * np.pi * (frequency * time + np.cumsum(drift) / rate + now.random())
    swell = 1 + 0.45 * np.sin(2 * np.pi * (now.uniform(0.3, 0.8) * time + now.random()))
    main = np.sin(phase) + 0.35 * np.sin(2 * phase + 1.0) + 0.15 * np.sin(3 * phase + 2.0)
    other = np.sin(phase * now.uniform(1.1, 1.35) + 2.0)
    dipole = np.outer([-0.35, 0.35, -0.75], swell * main) + np.outer([0.3, 0.4, 0.15], other)
    return project(0.5 * heart.fibrillation * heart.leads, dipole).astype(np.float32)
