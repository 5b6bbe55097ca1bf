"""What is on a recording besides the heart: wander, muscle, mains, loose electrodes.

Noise arises at the nine electrodes and reaches the leads through the same differences as the signal,
so a bad left arm shows in I, III and aVL and a little everywhere else.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from cohorts.simulator.heart import project

Floats = npt.NDArray[np.float32]

# Electrodes: right arm, left arm, left leg, V1-V6. The chest leads refer to the mean of the limbs.
_LEADS_FROM_ELECTRODES = np.zeros((8, 9), np.float32)
_LEADS_FROM_ELECTRODES[0, :3] = np.array([-1, 1, 0])
_LEADS_FROM_ELECTRODES[1, :3] = np.array([-1, 0, 1])
_LEADS_FROM_ELECTRODES[2:, :3] = -1 / 3
_LEADS_FROM_ELECTRODES[2:, 3:] = np.eye(6)

_WANDER_HZ = np.array([0.07, 0.13, 0.19, 0.24, 0.31, 0.42, 0.55])


@dataclass(frozen=True)
class Noise:
    """Typical noise of a site; one recording has more, another less.

    Attributes
    ----------
    wander, muscle, mains
        Standard deviations at one electrode in mV.
    pops
        Electrode pops per ten seconds.
    mains_hz
        50 or 60.
    spread
        Standard deviation of the logarithm of the level from recording to recording.
    """

    wander: float = 0.05
    muscle: float = 0.008
    mains: float = 0.005
    pops: float = 0.03
    mains_hz: float = 50.0
    spread: float = 0.6

    def of_recording(self, now: np.random.Generator) -> Noise:
        """Draw the levels of one recording."""
        wander, muscle, mains = np.exp(now.normal(0.0, self.spread, 3))
        return replace(
            self, wander=self.wander * wander, muscle=self.muscle * muscle, mains=self.mains * mains
        )


@lru_cache(maxsize=8)
def _waves(samples: int, rate: float, mains_hz: float) -> Floats:
    """Sines and cosines of the wander, of the mains and of its third harmonic, by row."""
    frequencies = np.concatenate([_WANDER_HZ, [mains_hz, 3 * mains_hz]])
    phase = 2 * np.pi * np.outer(frequencies, np.arange(samples) / rate)
    if 3 * mains_hz >= 0.45 * rate:
        phase[-1] = 0.0
    return np.concatenate([np.sin(phase), np.cos(phase)]).astype(np.float32)


def add_noise(signal: Floats, noise: Noise, rate: float, now: np.random.Generator) -> list[int]:
    """Add noise to ``[8, samples]`` in mV, in place.

    Returns
    -------
    list of int
        The electrodes that popped (0-2 limbs, 3-8 V1-V6).
    """
    samples = signal.shape[1]
    count = len(_WANDER_HZ) + 2
    weights = now.standard_normal((9, 2, count))
    weights[:, :, :-2] *= noise.wander * (0.19 / _WANDER_HZ) ** 0.7 / np.sqrt(count - 2)
    weights[:, :, -2] *= noise.mains
    weights[:, :, -1] *= 0.3 * noise.mains
    mixed = project(_LEADS_FROM_ELECTRODES, weights.reshape(9, 2 * count)).astype(np.float32)
    signal += project(mixed, _waves(samples, rate, noise.mains_hz))
    if noise.muscle:
        signal += project(_LEADS_FROM_ELECTRODES, _muscle(samples, noise.muscle, now))
    popped = now.integers(0, 9, now.poisson(noise.pops * samples / rate / 10))
    for electrode in popped:
        signal += np.outer(_LEADS_FROM_ELECTRODES[:, electrode], _pop(samples, rate, now))
    return [int(electrode) for electrode in popped]


def _muscle(samples: int, level: float, now: np.random.Generator) -> Floats:
    """Noise ``[9, samples]`` of the muscles under each electrode, without its slow part."""
    white = now.standard_normal((9, samples + 1), dtype=np.float32)
    coloured = white[:, 1:] - np.float32(0.75) * white[:, :-1]
    each = level * np.exp(now.normal(0.0, 0.3, (9, 1))) / 1.25
    return np.asarray(coloured * each.astype(np.float32))


def _pop(samples: int, rate: float, now: np.random.Generator) -> Floats:
    """Give a step of an electrode's potential that decays, as the amplifier's high-pass makes it."""
    start = int(now.integers(0, samples))
    decay = np.exp(-np.arange(samples - start) / rate / now.uniform(0.15, 0.9))
    pop = np.zeros(samples, np.float32)
    pop[start:] = float(now.choice([-1.0, 1.0]) * now.uniform(0.4, 2.0)) * decay
    return pop
