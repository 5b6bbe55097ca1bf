"""Simple detectors that know nothing of the simulator, one way to make a recording, and all releases."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import pytest

from cohorts.recording import STANDARD_LEADS
from cohorts.simulator.conditions import apply
from cohorts.simulator.drawing import draw, twelve_leads
from cohorts.simulator.heart import normal_heart
from cohorts.simulator.noise import Noise, add_noise
from cohorts.simulator.rhythm import beats_of
from cohorts.simulator.simulate import RELEASES, simulate
from tests.cohorts.simulator.reading import SCALE
from tests.once import made_once


def lead(signal: np.ndarray, name: str) -> np.ndarray:
    return signal[STANDARD_LEADS.index(name)]


def find_qrs(signal: np.ndarray, rate: float) -> np.ndarray:
    """Samples of the QRS complexes: energy of the slope over all leads, one peak in 260 ms."""
    short = np.ones(max(1, int(0.016 * rate))) / max(1, int(0.016 * rate))
    smooth = np.array([np.convolve(trace, short, mode="same") for trace in signal])
    slope = np.diff(smooth, axis=1, prepend=smooth[:, :1])
    energy = (slope**2).sum(axis=0)
    width = max(3, int(0.06 * rate))
    energy = np.convolve(energy, np.hanning(width) / np.hanning(width).sum(), mode="same")
    threshold = 0.1 * np.median(np.sort(energy)[-int(0.05 * len(energy)) :])
    apart = int(0.26 * rate)
    peaks, taken = [], np.zeros(len(energy), dtype=bool)
    for position in np.argsort(-energy):
        if energy[position] < threshold:
            break
        if not taken[position]:
            peaks.append(int(position))
            taken[max(0, position - apart) : position + apart + 1] = True
    edge = int(0.05 * rate)  # a complex cut by the border has no place of its own
    return np.array(sorted(peak for peak in peaks if edge <= peak < len(energy) - edge))


@dataclass
class Measured:
    """Measured on the median beat; times in s, amplitudes in mV."""

    signal: np.ndarray
    rate: float
    peaks: np.ndarray

    @classmethod
    def of(cls, signal: np.ndarray, rate: float) -> Measured:
        return cls(signal, rate, find_qrs(signal, rate))

    @property
    def rr(self) -> np.ndarray:
        return np.diff(self.peaks) / self.rate

    @property
    def heart_rate(self) -> float:
        return 60 / float(np.median(self.rr))

    @property
    def irregularity(self) -> float:
        return float(self.rr.std() / self.rr.mean())

    def beat(self, before: float = 0.36, after: float = 0.60) -> np.ndarray:
        start, end = int(before * self.rate), int(after * self.rate)
        inside = [p for p in self.peaks if p >= start and p + end <= self.signal.shape[1]]
        beats = np.array([self.signal[:, p - start : p + end] for p in inside])
        # Aligned to the first by cross-correlation, so that the median does not blur them.
        reference = beats[0]
        aligned = []
        for beat in beats:
            shifts = range(-8, 9)
            fits = [
                np.sum(reference[:, 20:-20] * np.roll(beat, shift, axis=1)[:, 20:-20]) for shift in shifts
            ]
            aligned.append(np.roll(beat, shifts[int(np.argmax(fits))], axis=1))
        return np.median(np.array(aligned), axis=0)

    @cached_property
    def qrs_bounds(self) -> tuple[int, int, np.ndarray]:
        """Onset and end of the QRS in the median beat, from the spatial speed; and this beat."""
        beat = self.beat()
        speed = np.sqrt((np.gradient(beat, 1 / self.rate, axis=1) ** 2).sum(axis=0))
        middle = int(0.36 * self.rate)
        near = slice(middle - int(0.13 * self.rate), middle + int(0.15 * self.rate))
        limit, pause = 0.07 * speed[near].max(), int(0.028 * self.rate)
        onset = end = near.start + int(np.argmax(speed[near]))
        while onset > near.start and (speed[onset - pause : onset] > limit).any():
            onset -= 1
        while end < near.stop and (speed[end + 1 : end + 1 + pause] > limit).any():
            end += 1
        return onset, end, beat

    @property
    def qrs_duration(self) -> float:
        onset, end, _ = self.qrs_bounds
        return (end - onset) / self.rate

    def p_wave(self, longest: float = 0.34) -> tuple[float, float]:
        """Spatial size of the P wave in mV, and seconds from its onset to that of the QRS."""
        onset, _, beat = self.qrs_bounds
        before = beat[:, max(0, onset - int(longest * self.rate)) : onset - int(0.012 * self.rate)]
        size = np.sqrt(((before - before[:, :8].mean(axis=1, keepdims=True)) ** 2).sum(axis=0))
        peak = int(np.argmax(size))
        start = peak
        while start > 0 and size[start] > 0.12 * size[peak]:
            start -= 1
        return float(size[peak]), (len(size) - start) / self.rate + 0.012

    @property
    def qt(self) -> float:
        onset, end, beat = self.qrs_bounds
        size = np.sqrt((beat**2).sum(axis=0))[end + int(0.08 * self.rate) :]
        peak = int(np.argmax(size))
        after = np.flatnonzero(size[peak:] < 0.08 * size[peak])
        return (end + int(0.08 * self.rate) + peak + after[0] - onset) / self.rate

    def level(self, name: str, after_j: float = 0.06) -> float:
        """ST level in mV, 60 ms after the J point, from the level before the QRS."""
        onset, end, beat = self.qrs_bounds
        trace = lead(beat, name)
        return float(trace[end + int(after_j * self.rate)] - trace[onset - 2])

    def t_amplitude(self, name: str) -> float:
        onset, end, beat = self.qrs_bounds
        trace = lead(beat, name)[end + int(0.09 * self.rate) :] - lead(beat, name)[onset - 2]
        return float(trace[np.argmax(np.abs(trace))])

    def r(self, name: str) -> float:
        onset, end, beat = self.qrs_bounds
        return float(lead(beat, name)[onset:end].max() - lead(beat, name)[onset - 2])

    def s(self, name: str) -> float:
        onset, end, beat = self.qrs_bounds
        return float(lead(beat, name)[onset - 2] - lead(beat, name)[onset:end].min())

    def q(self, name: str) -> tuple[float, float]:
        """Depth in mV and length in s of a negative start of the QRS."""
        onset, end, beat = self.qrs_bounds
        trace = lead(beat, name)[onset:end] - lead(beat, name)[onset - 2]
        positive = np.flatnonzero(trace > 0.04)
        negative = np.flatnonzero(trace < -0.04)
        if not len(negative) or (len(positive) and positive[0] < negative[0]):
            return 0.0, 0.0
        stop = positive[0] if len(positive) else len(trace)
        return float(-trace[:stop].min()), (stop - negative[0]) / self.rate

    @property
    def axis(self) -> float:
        onset, end, beat = self.qrs_bounds
        areas = [(lead(beat, n)[onset:end] - lead(beat, n)[onset - 2]).sum() for n in ("I", "aVF")]
        return float(np.degrees(np.arctan2(areas[1], areas[0])))

    def atrial_power(self, low: float, high: float, name: str = "V1") -> float:
        """Power in mV**2 of a band in the pauses between T wave and the next QRS."""
        parts = []
        for first, second in zip(self.peaks[:-1], self.peaks[1:], strict=True):
            start, end = first + int(0.42 * self.rate), second - int(0.07 * self.rate)
            if end - start > 0.25 * self.rate:
                part = lead(self.signal, name)[start:end]
                x = np.linspace(-1, 1, len(part))
                part = part - np.polyval(np.polyfit(x, part, 2), x)
                spectrum = np.abs(np.fft.rfft(part, 4096)) ** 2 / len(part) ** 2
                frequency = np.fft.rfftfreq(4096, 1 / self.rate)
                parts.append(spectrum[(frequency >= low) & (frequency <= high)].max())
        return float(np.mean(parts)) if parts else float("nan")


Make = Callable[..., Measured]


@pytest.fixture
def measured() -> Make:
    """Make a recording of a patient and measure it: ``measured({"AF": 0.5}, patient=3)``."""

    def make(
        present: dict[str, float] | None = None,
        patient: int = 0,
        *,
        age: float = 55,
        female: bool = False,
        rate: float = 500.0,
        seconds: float = 10.0,
        noise: Noise | None = None,
    ) -> Measured:
        now = np.random.default_rng([patient, 2])
        heart = normal_heart(age, female, np.random.default_rng([patient, 1]), now)
        apply(heart, present or {}, now)
        eight = draw(heart, beats_of(heart.rhythm, heart.pr, seconds, now), seconds, rate, now)
        if noise is not None:
            add_noise(eight, noise, rate, now)
        return Measured.of(twelve_leads(eight).astype(np.float64), rate)

    return make


@pytest.fixture(scope="session")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Every release that can be simulated; to be read only."""
    return made_once(
        tmp_path_factory,
        "every-release",
        lambda root: simulate(root, seed=4, sites=list(RELEASES), scale=SCALE),
    )
