"""One simulated recording after the other: signal, truth, and what the site's reader wrote."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from cohorts.simulator.conditions import CONDITIONS, CONFUSED, apply
from cohorts.simulator.drawing import draw
from cohorts.simulator.heart import TWELVE_FROM_EIGHT, Heart, normal_heart, project
from cohorts.simulator.noise import Noise, add_noise
from cohorts.simulator.patients import visits_of
from cohorts.simulator.rhythm import Beats, beats_of
from cohorts.simulator.site import Site

Counts = npt.NDArray[np.int16]
Floats = npt.NDArray[np.float32]

RHYTHMS = ("NSR", *(name for name, condition in CONDITIONS.items() if condition.group == "rhythm"))
"""Conditions of which a reader states one in every recording."""

_STILL_NORMAL = {"NSR", "SB", "SA"}
_OVERREAD = ("NSSTTA", "TAb", "IRBBB", "LAE", "LVHV", "QAb", "PRWP", "SA")
_PATIENT, _RECORDING, _POPULATION = range(3)


@dataclass(frozen=True)
class Simulated:
    """One recording.

    Attributes
    ----------
    number
        Its place at the site, from 0.
    patient
        Number of the patient at the site, from 0.
    age
        In years.
    fold
        1 to 10.
    present
        The truth: severity from 0 to 1 by condition.
    stated
        What the reader wrote, by condition: one rhythm, findings, and ``"NORM"`` if there are none.
    statements
        The same in the release's own words, as far as it has words for it.
    signal
        float32 ``[8, samples]`` in mV: I, II, V1-V6.
    heart
        Intervals, axis and leads.
    beats
        When it beat.
    noise, popped
        Noise levels, and electrodes that popped.
    random
        For what the release's writer adds.
    """

    number: int
    patient: int
    age: float
    female: bool
    fold: int
    present: dict[str, float]
    stated: tuple[str, ...]
    statements: dict[str, str]
    signal: Floats
    rate: float
    heart: Heart
    beats: Beats
    noise: Noise
    popped: list[int]
    random: np.random.Generator

    def counts(self, gain: float = 1000.0) -> Counts:
        """All twelve leads as int16 ``[12, samples]``; the limb leads agree to the last count."""
        eight = np.rint(np.clip(self.signal * gain, -32000, 32000))
        twelve = np.rint(project(TWELVE_FROM_EIGHT.astype(np.float32), eight))
        return np.asarray(np.clip(twelve, -32767, 32767).astype(np.int16))

    def frank(self) -> Floats:
        """Frank's leads ``[3, samples]`` in mV: the dipole that explains the eight leads best."""
        return project(np.linalg.pinv(self.heart.leads), self.signal).astype(np.float32)


def seeded(seed: int, site: str, *place: int) -> np.random.Generator:
    """Make a source of randomness that depends on nothing but its place."""
    return np.random.default_rng([seed, zlib.crc32(site.encode()), *place])


def recordings_of(site: Site, seed: int, scale: float = 1.0) -> Iterator[Simulated]:
    """Draw the recordings of a site, one at a time.

    Parameters
    ----------
    scale
        Relative number of recordings; at least two are made.
    """
    count = record_count(site, scale)
    visits = visits_of(site, count, seeded(seed, site.id, _POPULATION))
    for number in range(count):
        patient = int(visits.patient[number])
        now = seeded(seed, site.id, _RECORDING, number)
        present = visits.conditions(number)
        age, female, fold = float(visits.age[number]), bool(visits.female[number]), int(visits.fold[number])
        heart = normal_heart(age, female, seeded(seed, site.id, _PATIENT, patient), now)
        apply(heart, present, now)
        heart.leads = heart.leads * site.amplitude
        seconds = float(now.choice(list(site.seconds), p=list(site.seconds.values())))
        beats = beats_of(heart.rhythm, heart.pr, seconds, now)
        signal = draw(heart, beats, seconds, site.rate, now)
        noise = site.noise.of_recording(now)
        popped = add_noise(signal, noise, site.rate, now)
        stated = _read(present, site, 0.4 if fold in site.clean_folds else 1.0, now)
        yield Simulated(
            number=number,
            patient=patient,
            age=age,
            female=female,
            fold=fold,
            present=present,
            stated=stated,
            statements=_written(stated, site, now),
            signal=signal,
            rate=site.rate,
            heart=heart,
            beats=beats,
            noise=noise,
            popped=popped,
            random=now,
        )


def record_count(site: Site, scale: float) -> int:
    """Count the recordings of a site at this scale."""
    return max(2, round(site.records * scale))


def _read(
    present: dict[str, float], site: Site, carelessness: float, now: np.random.Generator
) -> tuple[str, ...]:
    """Read as people do: mild conditions are missed, some taken for others, a few invented."""
    found: list[str] = []
    for condition, severity in present.items():
        if now.random() < carelessness * site.missed * 2 * (1 - severity):
            continue
        taken_for = CONFUSED.get(condition, condition)
        found.append(taken_for if now.random() < carelessness * site.mistaken else condition)
    if not found and now.random() < carelessness * site.mistaken:
        found.append(str(now.choice(_OVERREAD)))
    if not any(condition in RHYTHMS for condition in found):
        found.insert(0, "NSR")
    if set(found) <= _STILL_NORMAL:
        found.insert(0, "NORM")
    return tuple(dict.fromkeys(found))


def _written(stated: tuple[str, ...], site: Site, now: np.random.Generator) -> dict[str, str]:
    """Put the stated conditions into the site's own words, mostly the usual ones."""
    words: dict[str, str] = {}
    for condition in stated:
        ways = site.vocabulary.get(condition)
        if ways:
            words[condition] = ways[0] if now.random() < 0.7 else ways[int(now.integers(len(ways)))]
    return words
