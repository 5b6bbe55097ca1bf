"""Conditions of the muscle (size, scars, repolarisation), and what they change.

Functions as in `cohorts.simulator.electrical`. The early forces of the QRS point away from a scar, the
ST segment towards an injury.
"""

from __future__ import annotations

import numpy as np

from cohorts.simulator.heart import Heart, Wave

Random = np.random.Generator

_HIGHEST_QRS = 5.0  # mV, in any lead


# Size and voltage


def left_hypertrophy(heart: Heart, s: float, now: Random) -> None:
    """High voltage, a slightly longer QRS, and strain where it is marked."""
    _reach_sokolow(heart, 3.35 + 1.6 * s)
    heart.qrs.stretch(1.04 + 0.06 * s)
    if s > 0.35:
        strain = (s - 0.35) / 0.65
        direction = heart.direction()
        heart.t = heart.t * (1 - strain) - 0.34 * strain * direction
        heart.st = heart.st - 0.13 * strain * direction
        heart.st_slope = 1.0


def high_voltage(heart: Heart, s: float, now: Random) -> None:
    """High voltage and nothing else."""
    _reach_sokolow(heart, 3.35 + 1.0 * s)


def right_hypertrophy(heart: Heart, s: float, now: Random) -> None:
    """Right axis, tall R in V1, deep S in V5 and V6, strain in V1-V3."""
    size = heart.size()
    heart.qrs.vectors[1] = size * np.array([0.12, 0.22, -0.45 - 0.3 * s])
    heart.qrs.vectors[2] = size * np.array([0.12, 0.55, -0.75 - 0.4 * s])
    heart.qrs.vectors[3] = size * np.array([-0.65 - 0.4 * s, 0.30, -0.05])
    heart.qrs.vectors[4:5] = size * np.array([-0.40, -0.1, 0.25])  # a wide escape rhythm has four
    heart.set_frontal_axis(100 + 28 * s)
    heart.t = heart.t + np.array([0.05, -0.08 * s, 0.26 + 0.2 * s])


def low_voltage(heart: Heart, s: float, now: Random) -> None:
    """Limb leads below 0.5 mV and chest leads below 1 mV from peak to peak."""
    high, low = heart.qrs_peaks()
    height = high - low
    factor = min(0.50 / height[:6].max(), 1.02 / height[6:].max()) * (1.0 - 0.3 * s)
    heart.qrs.vectors *= factor
    heart.t *= max(factor, 0.45)
    heart.p.vectors *= 0.8


def left_atrium(heart: Heart, s: float, now: Random) -> None:
    """Make a broad, notched P wave with a deep end in V1."""
    heart.p = Wave.of((36, 16, 0.035, 0.075, -0.035), (86 + 12 * s, 19, 0.075, 0.065, 0.085 + 0.05 * s))
    heart.pr = max(heart.pr, 0.168)


def right_atrium(heart: Heart, s: float, now: Random) -> None:
    """Make a tall, pointed P wave in II, III and aVF."""
    heart.p.vectors = heart.p.vectors * [0.8, 1, 1] + np.array([0.0, 0.07 + 0.06 * s, -0.03])
    heart.p.widths = heart.p.widths * 0.9


# Infarction: the early forces point away from the scar


def inferior_infarct(heart: Heart, s: float, now: Random) -> None:
    """Q waves in II, III and aVF."""
    size = heart.size()
    heart.qrs.vectors[:2] = size * np.array([[0.05, -0.26 - 0.2 * s, -0.2], [0.35, -0.42 - 0.3 * s, -0.22]])
    heart.qrs.vectors[2, 1] *= 0.75 - 0.3 * s
    heart.t = heart.t + np.array([0.05, -0.14 - 0.2 * s, 0.0])


def anteroseptal_infarct(heart: Heart, s: float, now: Random) -> None:
    """No r, or a QS, in V1-V3."""
    size = heart.size()
    heart.qrs.vectors[:2] = size * np.array([[0.02, 0.02, 0.16 + 0.1 * s], [0.30, 0.24, 0.34 + 0.25 * s]])
    heart.qrs.vectors[2, 2] += 0.30 * size
    heart.st = heart.st + np.array([0.0, 0.0, -0.07]) * now.uniform(0, 1)
    heart.t = heart.t + np.array([-0.02, 0.0, 0.05 + 0.22 * s])


def anterior_infarct(heart: Heart, s: float, now: Random) -> None:
    """Q waves and lost R in V2-V5."""
    anteroseptal_infarct(heart, s, now)
    size = heart.size()
    heart.qrs.vectors[:2, 0] = size * np.array([-0.12, -0.12 - 0.15 * s])
    heart.qrs.vectors[2] = heart.qrs.vectors[2] * [0.7, 1, 1] + np.array([0, 0, 0.25 * size])
    heart.t = heart.t + np.array([-0.14 - 0.16 * s, 0.0, 0.08])


def lateral_infarct(heart: Heart, s: float, now: Random) -> None:
    """Q waves in I, aVL, V5 and V6."""
    size = heart.size()
    heart.qrs.vectors[:2] = size * np.array([[-0.30 - 0.15 * s, 0.06, -0.2], [-0.42 - 0.3 * s, 0.25, -0.25]])
    heart.qrs.vectors[2, 0] *= 0.75 - 0.25 * s
    heart.t = heart.t + np.array([-0.16 - 0.2 * s, 0.02, 0.0])


def abnormal_q(heart: Heart, s: float, now: Random) -> None:
    """Q waves as after a small infarction, without its other signs."""
    t = heart.t.copy()
    (inferior_infarct if now.random() < 0.6 else lateral_infarct)(heart, 0.4 * s, now)
    heart.t = t


def poor_progression(heart: Heart, s: float, now: Random) -> None:
    """R stays small from V1 to V4."""
    heart.qrs.vectors[:2, 2] = heart.qrs.vectors[:2, 2] * (0.45 - 0.3 * s)
    heart.qrs.vectors[2:4, 2] += (0.20 + 0.25 * s) * heart.size()


# Repolarisation


def inferior_injury(heart: Heart, s: float, now: Random) -> None:
    """ST elevation in II, III and aVF, reciprocal depression in I and aVL."""
    _injury(heart, [-0.06, 0.22, 0.02], s)


def anterior_injury(heart: Heart, s: float, now: Random) -> None:
    """ST elevation in V1-V4."""
    _injury(heart, [0.09, 0.0, -0.20], s)


def lateral_injury(heart: Heart, s: float, now: Random) -> None:
    """ST elevation in I, aVL, V5 and V6, reciprocal depression in III and aVF."""
    _injury(heart, [0.24, -0.10, 0.06], s)


def _injury(heart: Heart, direction: list[float], s: float) -> None:
    vector = np.array(direction)
    heart.st = heart.st + vector * (0.5 + 0.9 * s)
    heart.st_slope = 0.7
    heart.t = heart.t * 0.7 + vector * (0.5 + 0.6 * s)


def st_depression(heart: Heart, s: float, now: Random) -> None:
    """Horizontal or down-sloping ST depression in V4-V6, I and II."""
    heart.st = heart.st * 0.3 + np.array([-0.075, -0.06, 0.02]) * (0.9 + 1.3 * s)
    heart.st_slope = float(now.uniform(0.0, 0.7))
    heart.t = heart.t * (0.75 - 0.5 * s)


def early_repolarisation(heart: Heart, s: float, now: Random) -> None:
    """Elevated J point with a notch and tall T waves in V2-V5."""
    heart.st = np.array([0.085, 0.03, -0.055]) * (0.9 + 0.7 * s)
    heart.st_slope = 1.2
    heart.t = heart.t * (1.25 + 0.3 * s)
    end = heart.qrs.duration * 1000
    heart.qrs.add((end, 6, 0.12, 0.06, -0.05))


def t_inversion(heart: Heart, s: float, now: Random) -> None:
    """Negative T waves in the anterior, lateral or inferior leads."""
    kept = (0.55 - 0.35 * s) * heart.t
    depth = 0.13 + 0.16 * s
    towards = np.array([[-0.35, 0.2, 1.3], [-1.5, -0.2, 0.25], [0.2, -1.25, 0.0]])[now.integers(3)]
    heart.t = kept * (1 - 1.2 * np.abs(towards) / np.abs(towards).max()) + depth * towards


def t_flattening(heart: Heart, s: float, now: Random) -> None:
    """Flat T waves."""
    heart.t = heart.t * (0.42 - 0.34 * s)


def unspecific_st_t(heart: Heart, s: float, now: Random) -> None:
    """Add a slight ST depression and low T waves."""
    heart.t = heart.t * (0.6 - 0.3 * s)
    heart.st = heart.st * 0.4 + np.array([-0.04, -0.035, 0.01]) * (0.5 + 0.7 * s)


def long_qt(heart: Heart, s: float, now: Random) -> None:
    """QTc above 470 ms."""
    heart.qtc = 0.462 + 0.08 * s


def _reach_sokolow(heart: Heart, millivolts: float) -> None:
    for _ in range(4):  # the wall grows to the left and back, hardly towards the feet
        high, low = heart.qrs_peaks()
        most = _HIGHEST_QRS / max(high.max(), -low.min())
        factor = min(max(millivolts / heart.sokolow(), 1.0), max(most, 1.0))
        heart.qrs.vectors *= np.array([factor, factor**0.35, factor])
