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
"""mV, of the largest lead's usual second. Below: 2 of 720, both with a gain in the header that no other record
of their release has. Above: 3, two of them with such a gain. Median 2.1 mV, 5 % below 0.9, 5 % above 4.1."""

BROKEN_LAWS = 0.1
"""Share of power left over. Outside of LUDB at most 0.051; in LUDB above it in 72 of 150."""

EXPLAINED = 0.2
"""An order, or a sign, explains broken laws if it leaves less than this part of them. The best order of
LUDB leaves 0.38 or more of what the order as it is does."""

LEAST_BROKEN = 0.03
"""Share of power left over from which on an explanation is looked for; of names that are right in order
and only poorly recorded, none is explained."""

HUM = 0.2
"""Share of a lead's power. 3 of 720, all of Ningbo; the next have 0.195, 0.177 and 0.121."""

FLAT = 0.5
"""Longest stretch without change, share of the recording. 4 of 720, each with a lead of one value."""

SLOW, FAST = 30.0, 220.0
"""Beats per minute. 1 of 720 below, 1 above."""

MIRRORED = -0.6
"""Correlation of lead I with V6, drift aside, if lead aVR goes with V6. 2 of 720."""

MAINS = (50.0, 60.0)


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


def doubts(native: Recording, standard: Recording) -> list[Doubt]:
    """Look at one recording.

    Parameters
    ----------
    native
        As it is stored: with the limb leads that are in the file.
    standard
        Its twelve standard leads.
    """
    leads = dict(zip(standard.leads, standard.signal.astype(np.float64), strict=True))
    stored = {name for name in map(standard_lead_name, native.leads) if name}
    return [
        *_amplitudes(leads, standard.sampling_rate),
        *(_limbs(leads) if stored.issuperset(LIMB_LEADS) else ()),
        *_disturbed(leads, standard.sampling_rate),
        *_arms(leads),
        *_rate(leads, standard.sampling_rate),
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


def _limbs(leads: Mapping[str, Doubles]) -> Iterator[Doubt]:
    """Compare the six limb leads, all of which are stored, with Einthoven's and Goldberger's laws."""
    products = limb_products(leads)
    left = left_over(products)
    if left < LEAST_BROKEN:
        return
    order, left_in_order = best_order(products)
    lead, left_inverted = best_sign(products)
    if left_in_order < EXPLAINED * left and left_in_order <= left_inverted:
        moved = [
            f"{name} lies in {place}" for name, place in zip(LIMB_LEADS, order, strict=True) if name != place
        ]
        yield Doubt("names", ", ".join(moved))
    elif left_inverted < EXPLAINED * left:
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
        if any(hum(signal, rate, mains) > HUM for signal in signals):
            yield Doubt("hum", f"{mains:g}")


def _arms(leads: Mapping[str, Doubles]) -> Iterator[Doubt]:
    mirrored = likeness(leads["I"], leads["V6"]) < MIRRORED
    if mirrored and likeness(leads["aVR"], leads["V6"]) > 0:
        yield Doubt("arms")


def _rate(leads: Mapping[str, Doubles], rate: float) -> Iterator[Doubt]:
    beats = heart_rate(leads, rate)
    if beats < SLOW:
        yield Doubt("slow")
    elif beats > FAST:
        yield Doubt("fast")
