"""A heart as one moving dipole, and what twelve leads see of it.

Every wave is a sum of Gaussian lobes of the dipole in time, in the manner of McSharry et al.
(IEEE Trans Biomed Eng 50:289, 2003) and, in three dimensions, Sameni et al. (EURASIP J Adv Signal
Process 2007:43407). The axes are Frank's: x to the left, y to the feet, z to the back; the dipole is
in mV. It is projected to the eight independent leads I, II and V1-V6 with the coefficients of Dower
et al. (Clin Cardiol 3:87, 1980), which every patient's anatomy turns, scales and distorts a little.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from cohorts.simulator.rhythm import Rhythm

Doubles = npt.NDArray[np.float64]

EIGHT_LEADS = ("I", "II", "V1", "V2", "V3", "V4", "V5", "V6")

DOWER = np.array(
    [
        [0.632, -0.235, 0.059],
        [0.235, 1.066, -0.132],
        [-0.515, 0.157, -0.917],
        [0.044, 0.164, -1.387],
        [0.882, 0.098, -1.277],
        [1.213, 0.127, -0.601],
        [1.125, 0.127, -0.086],
        [0.831, 0.076, 0.230],
    ]
)

TWELVE_FROM_EIGHT = np.zeros((12, 8))
"""Einthoven and Goldberger: the standard twelve leads from the eight independent ones."""
TWELVE_FROM_EIGHT[:6, :2] = np.array([[1, 0], [0, 1], [-1, 1], [-0.5, -0.5], [1, -0.5], [-0.5, 1]])
TWELVE_FROM_EIGHT[6:, 2:] = np.eye(6)


def project(matrix: npt.NDArray[Any], signal: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Matrix product without BLAS: the same sums on every machine, and no threads to wait for."""
    return np.asarray(np.einsum("ij,jk->ik", matrix, signal))


@dataclass
class Wave:
    """Gaussian lobes of the dipole.

    Attributes
    ----------
    times, widths
        ``[lobes]``, s: centres after the onset and standard deviations.
    vectors
        ``[lobes, 3]``, mV.
    """

    times: Doubles
    widths: Doubles
    vectors: Doubles

    @classmethod
    def of(cls, *lobes: tuple[float, float, float, float, float]) -> Wave:
        """Make a wave of (time in ms, width in ms, x, y, z) lobes."""
        table = np.array(lobes, dtype=np.float64)
        return cls(table[:, 0] / 1000, table[:, 1] / 1000, table[:, 2:].copy())

    @property
    def duration(self) -> float:
        """Seconds from the onset to the end of the last lobe."""
        return float((self.times + 2.2 * self.widths).max())

    def stretch(self, factor: float) -> None:
        """Make the wave longer."""
        self.times = self.times * factor
        self.widths = self.widths * factor

    def turn(self, frontal: float, horizontal: float = 0.0) -> None:
        """Turn the dipole by degrees: frontal to the feet, horizontal to the back."""
        self.vectors = self.vectors @ turning(frontal, horizontal).T

    def add(self, *lobes: tuple[float, float, float, float, float]) -> None:
        """Append lobes as in `of`."""
        more = Wave.of(*lobes)
        self.times = np.append(self.times, more.times)
        self.widths = np.append(self.widths, more.widths)
        self.vectors = np.vstack([self.vectors, more.vectors])

    def at(self, time: Doubles) -> Doubles:
        """Give the dipole ``[3, samples]`` at these seconds after the onset."""
        lobes = np.exp(-0.5 * ((time - self.times[:, None]) / self.widths[:, None]) ** 2)
        return project(self.vectors.T, lobes)

    @property
    def area(self) -> Doubles:
        """Time integral ``[3]`` in mV s, without the constant factor."""
        return self.widths @ self.vectors


def normal_qrs() -> Wave:
    """Septum (to the right and front), apex, free wall, posterior wall, base."""
    return Wave.of(
        (14, 5.5, -0.12, -0.02, -0.28),
        (27, 6.5, 0.30, 0.28, -0.26),
        (40, 7.0, 1.00, 0.72, 0.18),
        (53, 7.5, 0.42, 0.38, 0.74),
        (67, 7.0, -0.16, -0.10, 0.30),
    )


def ventricular_qrs() -> Wave:
    """Activation that starts in the ventricular muscle and spreads slowly."""
    return Wave.of(
        (22, 14, -0.35, 0.10, -0.25),
        (60, 20, -0.75, 0.75, -0.85),
        (95, 22, -0.15, 0.85, 0.55),
        (125, 16, 0.20, 0.15, 0.35),
    )


@dataclass
class Heart:
    """One heart during one recording; conditions change its fields.

    Attributes
    ----------
    leads
        ``[8, 3]``: what each of `EIGHT_LEADS` sees of the dipole.
    p, early_p
        The sinus P wave and that of other atrial beats.
    qrs, pvc
        Ventricular activation of conducted (or escape, or paced) and of premature beats.
    t, st
        Dipole ``[3]`` in mV at the peak of the T wave and on the ST segment.
    st_slope
        Relative change of the ST level from the J point to the T wave.
    pr, qtc
        In s; QT follows the rate after Fridericia.
    spike
        Dipole ``[3]`` in mV of a pacing stimulus, or None.
    fibrillation, flutter
        Amplitude of atrial waves in mV: in V1 and in lead II.
    """

    leads: Doubles
    p: Wave
    early_p: Wave
    qrs: Wave
    pvc: Wave
    t: Doubles
    st: Doubles
    rhythm: Rhythm
    st_slope: float = 0.0
    pr: float = 0.16
    qtc: float = 0.41
    spike: Doubles | None = None
    fibrillation: float = 0.0
    flutter: float = 0.0
    respiration: Doubles = field(default_factory=lambda: np.zeros(8))

    @property
    def qt(self) -> float:
        """QT in s at the ventricular rate of the record."""
        return float(
            max(self.qtc * (60.0 / self.rhythm.ventricular_rate) ** (1 / 3), self.qrs.duration + 0.14)
        )

    def frontal_axis(self) -> float:
        """Mean QRS axis in degrees, from the areas in I and aVF."""
        one, two = self.leads[:2] @ self.qrs.area
        return float(np.degrees(np.arctan2(two - one / 2, one)))

    def set_frontal_axis(self, degrees: float) -> None:
        """Turn the QRS until its frontal axis is as asked."""
        for _ in range(6):  # Dower's limb leads are not quite a rotation of x and y
            difference = (degrees - self.frontal_axis() + 180) % 360 - 180
            self.qrs.turn(difference)

    def qrs_peaks(self) -> tuple[Doubles, Doubles]:
        """Highest and lowest value ``[12]`` in mV of the QRS in the standard leads."""
        signal = project(TWELVE_FROM_EIGHT @ self.leads, self.qrs.at(np.arange(0.0, 0.22, 0.001)))
        return signal.max(axis=1), signal.min(axis=1)

    def size(self) -> float:
        """How large the QRS of the free wall is beside the usual."""
        return float(np.clip(np.linalg.norm(self.qrs.vectors[2]) / 1.25, 0.5, 1.4))

    def direction(self) -> Doubles:
        """Give the unit vector ``[3]`` of the mean QRS."""
        return np.asarray(self.qrs.area / np.linalg.norm(self.qrs.area))

    def repolarise_against(self) -> None:
        """ST and T opposite to the QRS, as after every slow activation."""
        self.st, self.t, self.st_slope = -0.11 * self.direction(), -0.42 * self.direction(), 0.6
        self.qtc += 0.03

    def sokolow(self) -> float:
        """S in V1 + R in V5 or V6, in mV (Sokolow and Lyon, Am Heart J 37:161, 1949)."""
        high, low = self.qrs_peaks()
        return float(-low[6] + high[10:].max())


def turning(frontal: float, horizontal: float) -> Doubles:
    """Rotation ``[3, 3]`` by degrees: frontal from left to feet, horizontal from left to back."""
    a, b = np.radians([frontal, horizontal])
    in_front = np.array([[np.cos(a), -np.sin(a), 0], [np.sin(a), np.cos(a), 0], [0, 0, 1]])
    across = np.array([[np.cos(b), 0, -np.sin(b)], [0, 1, 0], [np.sin(b), 0, np.cos(b)]])
    return np.asarray(across @ in_front)


def normal_heart(age: float, female: bool, anatomy: np.random.Generator, now: np.random.Generator) -> Heart:
    """Make a healthy heart of this age.

    Parameters
    ----------
    age
        In years; children have a fast rate, a right axis and inverted T waves in V1-V3.
    female
        Women have a little less voltage and a longer QTc.
    anatomy
        Randomness that belongs to the patient: the same for all of their recordings.
    now
        Randomness of this recording: rate, electrodes.
    """
    child = float(np.clip((14 - age) / 14, 0, 1))
    axis = float(np.clip(anatomy.normal(-1 - 0.35 * (min(age, 90) - 40), 15), -48, 32)) + 35 * child**2
    tilt = float(anatomy.normal(-10 * child, 9))
    torso = DOWER @ turning(axis, tilt)
    torso = torso * (1 + 0.08 * anatomy.standard_normal((8, 1)) + 0.03 * anatomy.standard_normal((8, 3)))
    placement = np.concatenate([np.zeros(2), 0.06 * now.standard_normal(6)])[:, None]
    torso = torso * (1 + placement)
    size = float(np.clip(anatomy.normal(0.95 - 0.08 * female, 0.19), 0.55, 1.45))

    qrs = normal_qrs()
    qrs.vectors *= size * (1 + 0.15 * anatomy.standard_normal(qrs.vectors.shape))
    qrs.stretch(float(np.clip(anatomy.normal(1.06 - 0.15 * child, 0.075), 0.85, 1.25)))
    p = Wave.of((35, 17, 0.035, 0.075, -0.035), (66, 19, 0.055, 0.070, 0.040))
    p.vectors *= float(np.clip(anatomy.normal(1.0, 0.2), 0.6, 1.5))
    early_p = Wave.of((30, 15, 0.02, -0.07, -0.05), (55, 16, -0.04, -0.05, 0.03))
    early_p.vectors *= anatomy.uniform(0.7, 1.4)
    if anatomy.random() < 0.6:  # from high in the atrium: upright as the sinus P wave, but different
        early_p.turn(-120.0)
    pvc = ventricular_qrs()
    pvc.vectors *= anatomy.uniform(0.8, 1.25)
    pvc.turn(float(anatomy.uniform(-150, 40)), float(anatomy.uniform(-40, 200)))
    t = (
        np.array([0.27, 0.19, -0.14 + 0.42 * child])
        * np.clip(anatomy.normal(1.0, 0.27), 0.5, 1.5)
        * size**0.6
    )
    rate = float(np.clip(now.normal(73 + 55 * child**1.5, 9 + 6 * child), 61 + 42 * child, 98 + 50 * child))
    heart = Heart(
        leads=torso,
        p=p,
        early_p=early_p,
        qrs=qrs,
        pvc=pvc,
        t=t,
        st=np.array([0.02, 0.02, -0.02]) * now.normal(0.6, 0.8),
        rhythm=Rhythm(rate=rate, respiratory=float(now.uniform(0.01, 0.045)) * (1.6 if age < 30 else 1.0)),
        st_slope=0.5,
        pr=float(np.clip(anatomy.normal(0.152 + 0.0002 * age - 0.03 * child, 0.019), 0.105, 0.2)),
        qtc=float(np.clip(anatomy.normal(0.405 + 0.012 * female, 0.019), 0.36, 0.455)),
        respiration=0.05 * now.standard_normal(8),
    )
    lowest, highest = (-22.0, 84.0 + 25 * child)
    if not lowest < heart.frontal_axis() < highest:
        heart.set_frontal_axis(float(anatomy.uniform(lowest + 4, highest - 4)))
    heart.qrs.vectors *= min(1.0, 3.6 / heart.sokolow())
    high, low = heart.qrs_peaks()
    heart.t *= min(1.0, 0.45 * (high - low).max() / np.abs(heart.leads @ heart.t).max())
    return heart
