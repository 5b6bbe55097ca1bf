"""What is doubtful about single recordings, by their signals alone.

The limits were measured on 720 recordings as they were released: 400 of PTB-XL, 150 of LUDB and 170 of eight
folders of the Challenge 2021. What each says of them stands beside it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from cohorts.first_look.measures import (
    LIMB_LEADS,
    Doubles,
    amplitude,
    at_rails,
    best_order,
    best_sign,
    heart_rate,
    hum,
    left_over,
    likeness,
    limb_products,
    still,
)
from cohorts.recording import Recording, standard_lead_name

LOW, HIGH = 0.45, 8.0
"""mV, of the largest lead's usual second. Median 2.1; 5 % below 0.9, 5 % above 4.1. 2 of 720 lie below, both
with a gain in the header that no other record of their release has; 3 above, two of them with such a gain."""

BROKEN_LAWS = 0.05
"""Share of power left over. At most 0.011 outside of LUDB, whose leads contradict each other: 110 of 150."""

LEAST_BROKEN = 0.02
"""Share of power left over from which on it is explained. Two swapped names leave 0.028 or more."""

EXPLAINED = 0.2
"""An order, or a sign, explains broken laws if it leaves less than this part of them. Of 543 recordings whose
laws hold, six swaps and two inversions were each found in 542 or 543 and left 0.07 or less; nothing explains
any of LUDB, where the best order leaves 0.47 or more."""

HUM = 0.2
"""Share of a lead's power. 3 of 720, all of Ningbo; the next have 0.195, 0.177 and 0.121."""

FLAT = 0.5
"""Longest stretch without change, share of the recording. 4 of 720, each with a lead of one value."""

SLOW, FAST = 30.0, 220.0
"""Beats per minute. 1 of 720 below, 1 above."""

MIRRORED = -0.6
"""Correlation of the changes of lead I with those of V6, where aVR goes with V6. 1 of 720 as they are, 69 %
of them with the arm electrodes swapped."""

MAINS = (50.0, 60.0)

_A_SWAP = 2  # leads that change their places


@dataclass(frozen=True, slots=True)
class Doubt:
    """One thing that is doubtful about one recording.

    Attributes
    ----------
    kind
        Its name in `cohorts.first_look.words`.
    detail
        What tells it from others of its kind, such as which leads, or empty.
    """

    kind: str
    detail: str = ""


def doubts(native: Recording, standard: Recording, beats: float) -> list[Doubt]:
    """Look at one recording.

    Parameters
    ----------
    native
        As it is stored: with the limb leads that are in the file.
    standard
        Its twelve standard leads.
    beats
        As `usual_rate` gives them.
    """
    leads = dict(zip(standard.leads, standard.signal.astype(np.float64), strict=True))
    stored = {name for name in map(standard_lead_name, native.leads) if name}
    return [
        *_amplitudes(leads, standard.sampling_rate),
        *(_limbs(leads, standard.sampling_rate) if stored.issuperset(LIMB_LEADS) else ()),
        *_disturbed(leads, standard.sampling_rate),
        *_arms(leads, standard.sampling_rate),
        *_rate(beats),
    ]


def usual_rate(standard: Recording) -> float:
    """Beats per minute of a recording, NaN where nobody can tell."""
    leads = dict(zip(standard.leads, standard.signal.astype(np.float64), strict=True))
    return heart_rate(leads, standard.sampling_rate)


def _amplitudes(leads: Mapping[str, Doubles], rate: float) -> Iterator[Doubt]:
    sizes = np.array([amplitude(signal, rate) for signal in leads.values()])
    if np.isnan(sizes).all():
        return
    largest = float(np.nanmax(sizes))
    if largest > HIGH:
        yield Doubt("large")
    elif 0 < largest < LOW:
        yield Doubt("small")


def _limbs(leads: Mapping[str, Doubles], rate: float) -> Iterator[Doubt]:
    """Compare the six limb leads, all of which are stored, with Einthoven's and Goldberger's laws."""
    products = limb_products(leads, rate)
    left = left_over(products)
    if left < LEAST_BROKEN:
        return
    order, left_in_order = best_order(products)
    lead, left_inverted = best_sign(products)
    moved = [
        f"{name} lies in {place}" for name, place in zip(LIMB_LEADS, order, strict=True) if name != place
    ]
    by_order, by_sign = left_in_order < EXPLAINED * left, left_inverted < EXPLAINED * left
    # One inverted lead I is, by the laws, the same as two swaps of names: what needs less is said.
    if by_order and (len(moved) == _A_SWAP or not by_sign):
        yield Doubt("names", ", ".join(moved))
    elif by_sign:
        yield Doubt("sign", lead)
    elif left > BROKEN_LAWS:
        yield Doubt("laws")


def _disturbed(leads: Mapping[str, Doubles], rate: float) -> Iterator[Doubt]:
    signals = list(leads.values())
    if any(np.isnan(signal).any() for signal in signals):
        yield Doubt("missing")
    if any(still(signal) > FLAT for signal in signals):
        yield Doubt("flat")
    if any(at_rails(signal, rate) > 0 for signal in signals):
        yield Doubt("clipped")
    for mains in MAINS:
        if (hum(np.array(signals), rate, mains) > HUM).any():
            yield Doubt("hum", f"{mains:g}")


def _arms(leads: Mapping[str, Doubles], rate: float) -> Iterator[Doubt]:
    if likeness(leads["I"], leads["V6"], rate) < MIRRORED and likeness(leads["aVR"], leads["V6"], rate) > 0:
        yield Doubt("arms")


def _rate(beats: float) -> Iterator[Doubt]:
    if beats < SLOW:
        yield Doubt("slow")
    elif beats > FAST:
        yield Doubt("fast")
