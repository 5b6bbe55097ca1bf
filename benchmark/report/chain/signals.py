"""What was done to the signals before the model was given them."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np

from benchmark.models.model_card import InputSpec
from benchmark.protocols.harmonise import window_starts
from benchmark.records.measuring import PREDICTIONS
from benchmark.records.record import ResultRecord
from benchmark.report.chain.link import Link
from benchmark.report.model_facts import input_text
from cohorts.recording import MV_PER_UNIT, STANDARD_LEADS
from cohorts.store import Rows, Store


def signals_link(record: ResultRecord, store: Store | None, rows: Rows | None) -> Link:
    """Say what the model asked for, and what that took.

    Parameters
    ----------
    store
        The prepared cohort; None where it is not here, or its signals were not looked at.
    rows
        Its records that were scored.
    """
    spec = record.model.input
    if record.protocol == PREDICTIONS:
        said = "the scores were made elsewhere: whoever made them prepared the signals"
        return Link("signals", "Signals", [("prepared", said)], {"input": None, "prepared": said})
    lines = [
        ("asked for", input_text(spec)),
        ("leads", _leads(spec)),
        ("scale", _scale(spec)),
        ("missing samples", "0 mV, before anything is filtered"),
        ("too short", f"zeros at the end, up to {spec.samples:,} samples"),
    ]
    table = [] if store is None or rows is None else _by_rate(store, rows, spec)
    facts: dict[str, Any] = {
        "input": spec.model_dump(mode="json"),
        "scale": 1 / MV_PER_UNIT[spec.unit],
        "rates": table,
    }
    tables = {"The records that were scored, by the rate that they were recorded at:": table}
    return Link("signals", "Signals", lines, facts, tables if table else {})


def resampling(rate: float, spec: InputSpec) -> str:
    """Say how a rate becomes the one that is asked for."""
    if rate == spec.sampling_rate:
        return "no"
    ratio = Fraction(spec.sampling_rate / rate).limit_denominator(10_000)
    return f"polyphase, {ratio.numerator}/{ratio.denominator}"


def windows(samples: int, rate: float, spec: InputSpec) -> tuple[int, int]:
    """Count the windows that a record of this length gives, and the samples in it once resampled."""
    resampled = samples if rate == spec.sampling_rate else round(samples * spec.sampling_rate / rate)
    return len(window_starts(resampled, spec)), resampled


def _leads(spec: InputSpec) -> str:
    left = [lead for lead in STANDARD_LEADS if lead not in spec.leads]
    without = f"; not used: {' '.join(left)}" if left else ""
    return f"by name, in that order{without}; limb leads that a release lacks follow from I and II"


def _scale(spec: InputSpec) -> str:
    if spec.unit == "mV":
        return "millivolts, as stored"
    return f"millivolts times {1 / MV_PER_UNIT[spec.unit]:g}, which is {spec.unit}"


def _by_rate(store: Store, rows: Rows, spec: InputSpec) -> list[dict[str, Any]]:
    found = []
    rates, lengths = store.rates[rows], store.lengths[rows]
    for rate in np.unique(rates):
        own, each = np.unique(lengths[rates == rate], return_counts=True)
        made = [windows(int(length), float(rate), spec) for length in own]
        numbers = sorted({count for count, _ in made})
        seconds = sorted({round(float(length / rate), 3) for length in own})
        found.append(
            {
                "Hz": float(rate),
                "records": int(each.sum()),
                "seconds": _range(seconds),
                "resampled": resampling(float(rate), spec),
                "windows each": _range(numbers),
                "filled up": int(each[[n < count * spec.samples for count, n in made]].sum()),
                "cut": int(each[[n > count * spec.samples for count, n in made]].sum()),
            }
        )
    return found


def _range(values: list[float] | list[int]) -> str:
    low, high = values[0], values[-1]
    return f"{low:g}" if low == high else f"{low:g} to {high:g}"
