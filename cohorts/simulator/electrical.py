"""Conditions of rhythm and conduction, and what they change.

Every function takes the heart, a severity from 0 (borderline) to 1 (marked) and a source of
randomness. The numbers are those of the usual criteria (AHA/ACCF/HRS recommendations for the
standardization and interpretation of the electrocardiogram, parts III-VI, Circulation 2009) with a
little room on the mild side.
"""

from __future__ import annotations

import numpy as np

from cohorts.simulator.heart import Heart, Wave

Random = np.random.Generator


# Rhythm


def tachycardia(heart: Heart, s: float, now: Random) -> None:
    """Sinus tachycardia: above 100 per minute, in children above what is normal for them."""
    heart.rhythm.rate = max(heart.rhythm.rate, 72.0) * 0.25 + 83 + 38 * s
    heart.rhythm.respiratory *= 0.4


def bradycardia(heart: Heart, s: float, now: Random) -> None:
    """Sinus bradycardia: below 60 per minute."""
    heart.rhythm.rate = 58.5 - 15 * s


def sinus_arrhythmia(heart: Heart, s: float, now: Random) -> None:
    """Intervals that come and go with the breath."""
    heart.rhythm.respiratory = 0.11 + 0.12 * s
    heart.rhythm.low_frequency = 0.05
    heart.rhythm.rate = min(heart.rhythm.rate, 82.0)


def fibrillation(heart: Heart, s: float, now: Random) -> None:
    """No P waves, fibrillatory waves best seen in V1, irregular intervals."""
    heart.p.vectors *= 0
    heart.rhythm.kind = "fibrillation"
    heart.rhythm.rate = float(np.clip(now.normal(88, 22), 50, 150))
    heart.fibrillation = 0.035 + 0.11 * s * now.uniform(0.5, 1)


def flutter(heart: Heart, s: float, now: Random) -> None:
    """Draw a saw-tooth in II, III and aVF; every second to fourth wave is conducted."""
    heart.p.vectors *= 0
    heart.rhythm.kind = "flutter"
    heart.rhythm.atrial_rate = float(now.uniform(250, 320))
    heart.rhythm.conduction = int(now.choice([2, 3, 4, 0], p=[0.35, 0.1, 0.35, 0.2]))
    heart.flutter = 0.13 + 0.16 * s


def reentry(heart: Heart, s: float, now: Random) -> None:
    """Regular narrow tachycardia; the P wave is in the QRS or just behind it."""
    heart.rhythm.kind = "re-entry"
    heart.rhythm.rate = float(now.uniform(148, 175)) + 35 * s
    heart.early_p.vectors *= 0.7 if now.random() < 0.5 else 0.0
    heart.t *= 0.7
    heart.st += np.array([-0.05, -0.05, 0.04])


def paced(heart: Heart, s: float, now: Random) -> None:
    """Put a stimulus before every ventricular complex, which spreads from the right apex."""
    heart.rhythm.kind = "paced"
    heart.rhythm.rate = float(now.choice([60.0, 60.0, 65.0, 70.0, 75.0, 80.0]))
    heart.spike = np.array([0.5, -0.75, -0.1]) * (0.2 + 1.1 * s)  # bipolar leads give the small ones
    left_bundle(heart, s, now)
    heart.qrs.vectors = heart.qrs.vectors * [0.75, 1, 1] + np.outer([0.1, 0.75, 1.0, 0.8], [0, -0.85, 0])
    heart.repolarise_against()
    if now.random() < 0.4:
        heart.p.vectors *= 0
        heart.fibrillation = 0.05


def complete_block(heart: Heart, s: float, now: Random) -> None:
    """P waves and QRS complexes go their own ways; the escape rhythm is slow, and wide if low."""
    heart.rhythm.kind = "escape"
    heart.rhythm.atrial_rate = float(now.uniform(68, 98))
    heart.rhythm.rate = 50 - 18 * s
    if s > 0.5:
        (left_bundle if now.random() < 0.5 else right_bundle)(heart, 0.6, now)


# Conduction from the atria to the ventricles


def long_pr(heart: Heart, s: float, now: Random) -> None:
    """PR above 200 ms."""
    heart.pr = 0.202 + 0.10 * s
    heart.rhythm.rate = min(heart.rhythm.rate, 60 / (heart.pr + 0.36))


def wenckebach(heart: Heart, s: float, now: Random) -> None:
    """PR grows from beat to beat until one is dropped."""
    heart.rhythm.dropped = "wenckebach"
    heart.rhythm.cycle = int(now.integers(3, 6))
    heart.pr = 0.18 + 0.05 * s
    heart.rhythm.rate = float(np.clip(heart.rhythm.rate, 62, 85))


def mobitz(heart: Heart, s: float, now: Random) -> None:
    """Drop a beat now and then, or every second one, with a constant PR."""
    heart.rhythm.dropped = "mobitz"
    heart.rhythm.cycle = 2 if s > 0.6 else int(now.integers(3, 5))
    heart.pr = float(now.uniform(0.16, 0.22))
    heart.rhythm.rate = float(np.clip(heart.rhythm.rate, 66, 95))


# Conduction in the ventricles


def left_bundle(heart: Heart, s: float, now: Random) -> None:
    """Slow activation from right to left: no septal q, notched broad R in I, V5 and V6, QS in V1."""
    size = heart.size()
    heart.qrs = Wave.of(
        (22, 12, 0.26, 0.06, 0.16),
        (54, 16, 0.80, 0.28, 0.55),
        (86, 16, 0.52, 0.12, 0.95),
        (116, 14, 0.80, 0.06, 0.62),
    )
    heart.qrs.vectors *= size * now.normal(1.0, 0.1, (4, 1))
    heart.qrs.stretch(0.9 + 0.2 * s)
    heart.repolarise_against()


def incomplete_left_bundle(heart: Heart, s: float, now: Random) -> None:
    """As the complete block, but 105 to 119 ms."""
    left_bundle(heart, s, now)
    heart.qrs.vectors[2] *= 0.75
    heart.qrs.stretch((0.107 + 0.010 * s) / heart.qrs.duration)
    heart.t = heart.t * 0.3 + np.array([0.12, 0.1, -0.05])
    heart.st = heart.st * 0.4


def right_bundle(heart: Heart, s: float, now: Random) -> None:
    """Let the right ventricle come late: R' in V1, wide S in I and V6."""
    size = heart.size()
    heart.qrs.vectors[4] *= 0.3
    heart.qrs.add(
        (80, 12, -0.40 * size, -0.06 * size, -0.34 * size),
        (104 + 14 * s, 13 + 2 * s, -0.58 * size, 0.02, -0.40 * size),
    )
    heart.t = heart.t + np.array([0.08, 0.02, 0.26 + 0.1 * s])
    heart.st = heart.st + np.array([0.02, 0.0, 0.03])


def incomplete_right_bundle(heart: Heart, s: float, now: Random) -> None:
    """Add a small R' in V1; less than 120 ms."""
    size = heart.size()
    heart.qrs.vectors[4] *= 0.5
    heart.qrs.add((79 + 5 * s, 8 + s, -(0.30 + 0.16 * s) * size, -0.02, -(0.30 + 0.2 * s) * size))
    heart.t = heart.t + np.array([0.0, 0.0, 0.07])


def intraventricular(heart: Heart, s: float, now: Random) -> None:
    """Make the QRS slow and notched, like neither bundle branch block."""
    heart.qrs.vectors[2] *= 0.7
    heart.qrs.stretch((0.114 + 0.026 * s) / heart.qrs.duration)
    heart.qrs.add((68 + 20 * s, 6, *(0.25 * now.standard_normal(3))))


def preexcitation(heart: Heart, s: float, now: Random) -> None:
    """Short PR and a delta wave."""
    heart.pr = 0.108 - 0.02 * s
    pathway = np.array([[0.30, 0.02, -0.22], [-0.05, 0.26, -0.34], [0.30, -0.16, 0.10]])[now.integers(3)]
    heart.qrs.times = heart.qrs.times + 0.028 + 0.012 * s
    heart.qrs.vectors[0] *= 0.15  # the septum is reached from the pathway
    x, y, z = pathway * (0.75 + 0.6 * s)
    heart.qrs.add((14, 8, x * 0.3, y * 0.3, z * 0.3), (28, 10, x * 0.7, y * 0.7, z * 0.7), (45, 12, x, y, z))
    heart.t = heart.t * 0.6 - 0.15 * pathway


def left_anterior(heart: Heart, s: float, now: Random) -> None:
    """Left anterior fascicular block: small r in II, III and aVF, then everything goes up and left."""
    _fascicle(
        heart,
        Wave.of(
            (14, 6, -0.07, 0.24, -0.20),
            (30, 7, 0.46, -0.20, -0.12),
            (46, 8, 0.86, -0.62, 0.20),
            (62, 8, 0.30, -0.66, 0.55),
            (77, 7, -0.12, -0.30, 0.30),
        ),
        axis=-47 - 22 * s,
    )


def left_posterior(heart: Heart, s: float, now: Random) -> None:
    """Left posterior fascicular block: small r in I and aVL, then everything goes down."""
    _fascicle(
        heart,
        Wave.of(
            (14, 6, 0.16, -0.22, -0.20),
            (30, 7, 0.40, 0.35, -0.15),
            (46, 8, 0.30, 1.05, 0.15),
            (60, 8, -0.50, 0.80, 0.45),
            (75, 7, -0.50, 0.20, 0.30),
        ),
        axis=98 + 22 * s,
    )


def _fascicle(heart: Heart, activation: Wave, axis: float) -> None:
    """Replace the left ventricle's activation; what comes later (a right bundle block) stays."""
    size = heart.size()
    late, heart.qrs = heart.qrs, activation
    first = activation.vectors[0].copy()
    heart.set_frontal_axis(axis)
    # The first lobe keeps its own direction: it is the small r or q by which one knows the block.
    heart.qrs.vectors[0] = first
    heart.qrs = Wave(
        np.append(heart.qrs.times, late.times[5:]),
        np.append(heart.qrs.widths, late.widths[5:]),
        np.vstack([heart.qrs.vectors * size, late.vectors[5:]]),
    )


def left_axis(heart: Heart, s: float, now: Random) -> None:
    """Axis between -30 and -60 degrees."""
    heart.set_frontal_axis(-31 - 26 * s)


def right_axis(heart: Heart, s: float, now: Random) -> None:
    """Axis between 90 and 130 degrees."""
    heart.set_frontal_axis(93 + 32 * s)


# Ectopic beats


def atrial_ectopy(heart: Heart, s: float, now: Random) -> None:
    """One to four premature atrial beats in ten seconds, sometimes in a pattern."""
    heart.rhythm.early_atrial = 1 + 3 * s
    heart.rhythm.pattern = int(now.choice([0, 2, 3], p=[0.85, 0.08, 0.07]))


def ventricular_ectopy(heart: Heart, s: float, now: Random) -> None:
    """One to four premature ventricular beats in ten seconds, sometimes in a pattern."""
    heart.rhythm.early_ventricular = 1 + 3 * s
    if heart.rhythm.kind == "sinus":
        heart.rhythm.rate = min(heart.rhythm.rate, 92.0)
        heart.rhythm.pattern = int(now.choice([0, 2, 3], p=[0.75, 0.14, 0.11]))
