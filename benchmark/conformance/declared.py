"""Check that a model is given what its card asks for, and takes it in every form that a run has."""

from __future__ import annotations

import numpy as np
import pandas as pd

from benchmark.conformance.asking import Mode
from benchmark.conformance.modes import usable_modes
from benchmark.conformance.subject import Subject
from benchmark.models.cards import card_of
from benchmark.models.contract import Batch
from benchmark.models.model_card import InputSpec
from benchmark.protocols.harmonise import PreparedRecords
from cohorts.errors import ModelError
from cohorts.recording import MV_PER_UNIT, STANDARD_LEADS, Recording


class Ramps:
    """Recordings in which lead and moment can be read off the voltage.

    Lead k of the standard twelve rises from k mV to 2 k mV in one window. The records are one window, half
    of one, and two and a half long, at three sampling rates, with their leads in reverse order.
    """

    def __init__(self, spec: InputSpec) -> None:
        self.leads = STANDARD_LEADS[::-1]
        self._spec = spec
        self._kinds = ((spec.sampling_rate, 1.0), (257.0, 1.0), (1000.0, 0.5), (500.0, 2.6))
        ids = [f"ramp-{number}" for number in range(len(self._kinds))]
        self.index = pd.DataFrame({"record_id": ids, "age": 50.0, "sex": "female"})
        self.labels = pd.DataFrame(index=range(len(ids)))

    def recording(self, position: int) -> Recording:
        """Give one recording in mV."""
        rate, windows = self._kinds[position]
        time = np.arange(round(rate * windows * self._spec.seconds)) / (rate * self._spec.seconds)
        numbers = np.array([STANDARD_LEADS.index(lead) + 1 for lead in self.leads])
        return Recording((numbers[:, None] * (1 + time)).astype(np.float32), rate, self.leads)


def input_as_declared(subject: Subject) -> str:
    """What reaches the model has the card's rate, leads, order, length and unit, whatever a recording has.

    A model that is fed another rate or order than it was trained on still answers, only worse.
    """
    spec = subject.spec
    ramps = PreparedRecords(Ramps(spec), np.arange(4), spec)
    verify(ramps.batch([0, 1]), spec)
    windows = 0
    for mode in usable_modes(subject):
        for batch, _ in ramps.window_batches(3):
            check_form(batch, spec)
            mode.ask(batch)
            windows += len(batch)
        check_card(mode, subject)
    shape = f"[records, {len(spec.leads)}, {spec.samples}]"
    return (
        f"float32 {shape}: {spec.sampling_rate:g} Hz, {spec.seconds:g} s, {spec.unit}, "
        f"{' '.join(spec.leads)}; {windows} windows of short and long records are taken"
    )


def check_form(batch: Batch, spec: InputSpec) -> None:
    """Refuse a batch that is not one of float32 windows as asked for."""
    signals = batch.signals
    wanted = (len(batch), len(spec.leads), spec.samples)
    if signals.shape != wanted or signals.dtype != np.float32 or not signals.flags.c_contiguous:
        raise ModelError(f"The model was given {signals.dtype} {signals.shape} instead of float32 {wanted}.")


def verify(batch: Batch, spec: InputSpec) -> None:
    """Read lead, moment and unit off the first windows of `Ramps` of one window each."""
    check_form(batch, spec)
    numbers = np.array([STANDARD_LEADS.index(lead) + 1 for lead in spec.leads])
    time = np.arange(spec.samples) / spec.samples
    wanted = numbers[:, None] * (1 + time) / MV_PER_UNIT[spec.unit]
    wrong = np.abs(batch.signals / wanted - 1).max(axis=(0, 2)) > 0.05
    if wrong.any():
        lead = spec.leads[int(np.argmax(wrong))]
        raise ModelError(f"What the model was given for lead {lead} is not that lead in {spec.unit}.")


def check_card(mode: Mode, subject: Subject) -> None:
    """Refuse a card that asks for something else after the model was asked."""
    now = card_of(mode.model).input
    if now != subject.spec:
        raise ModelError(
            f"{mode.name}: after it was asked, its card asks for another input than before ({now})."
        )
