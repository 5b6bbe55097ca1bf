"""A cohort that lies in no file: made-up heart beats with findings that any model can learn.

What a model is given of it is prepared like every real recording, by `benchmark.protocols.harmonise`.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import numpy.typing as npt
import pandas as pd

from benchmark.models.contract import Floats
from benchmark.models.model_card import InputSpec
from benchmark.protocols.harmonise import PreparedRecords
from benchmark.protocols.pretraining import PairedRecords
from benchmark.protocols.prompts import prompts_of
from cohorts.recording import STANDARD_LEADS, Recording

FINDINGS = ("STach", "AF", "LBBB")
"""What is in the signals, each by itself in half of the records; AF also in the age, LBBB in the sex."""
NEVER = "WPW"
"""No record has it."""
UNANNOTATED = "LVH"
"""Nobody has looked for it."""
CONCEPTS = ("STach", NEVER, "AF", UNANNOTATED, "LBBB")

RATES = (500.0, 400.0, 257.0, 1000.0)
SECONDS = (10.0, 12.0, 6.0, 21.0, 10.0)
LEAD_ORDERS = (
    STANDARD_LEADS,
    ("I", "II", "III", "aVR", "aVF", "aVL", "V1", "V2", "V3", "V4", "V5", "V6"),
    ("V6", "V5", "V4", "V3", "V2", "V1", "II", "I"),  # the other limb leads have to be derived
)


class MockCohort:
    """Records as releases have them: several rates, lengths and lead orders; gaps in everything.

    It has what `PreparedRecords` reads of a store.

    Parameters
    ----------
    records
        How many; a multiple of 8 has every combination of the findings equally often.
    seed
        Another seed, other people.
    gaps
        Whether a tenth of all labels is -1 and a tenth of all ages and sexes unknown, and samples and
        whole leads are missing.

    Attributes
    ----------
    truth
        int8 ``[records, findings]``, without gaps.
    index, labels
        As those of a store.
    """

    def __init__(self, records: int, seed: int, *, gaps: bool) -> None:
        rng = np.random.default_rng(seed)
        number = rng.permutation(records)
        self.truth = np.column_stack([number >> bit & 1 for bit in range(3)]).astype(np.int8)
        self.labels = self._labels(gaps=gaps)
        ill, wide = self.truth[:, 1] == 1, self.truth[:, 2] == 1
        age = np.where(ill, rng.uniform(62, 90, records), rng.uniform(20, 55, records))
        sex = pd.Series(np.where(wide, "female", "male"), dtype="str")
        if gaps:
            age[rng.random(records) < 0.1] = np.nan
            sex = sex.mask(rng.random(records) < 0.1)
        ids = [f"mock-{seed}-{record:04d}" for record in range(records)]
        self.index = pd.DataFrame({"record_id": ids, "age": age, "sex": sex})
        self._recordings = [
            self._recording(rng, row, int(number[row]) // 8, gaps=gaps) for row in range(records)
        ]

    def __len__(self) -> int:
        return len(self.truth)

    def recording(self, position: int) -> Recording:
        """Give one recording in mV at its own rate; missing samples are NaN."""
        return self._recordings[position]

    @property
    def sentences(self) -> list[tuple[str, ...]]:
        """What was written about each record."""
        names = np.array([texts[0] for texts in prompts_of(FINDINGS).values()])
        return [tuple(map(str, names[row == 1])) or ("normal ECG",) for row in self.truth]

    def records(self, spec: InputSpec, concepts: tuple[str, ...] = CONCEPTS) -> PreparedRecords:
        """All records as a model asks for them."""
        return PreparedRecords(self, np.arange(len(self)), spec, concepts)

    def pairs(self, spec: InputSpec) -> PairedRecords:
        """All records with what was written about them."""
        return PairedRecords(self, np.arange(len(self)), spec, self.sentences)

    def _labels(self, *, gaps: bool) -> pd.DataFrame:
        labels = pd.DataFrame(self.truth, columns=list(FINDINGS))
        labels[NEVER] = np.int8(0)
        if gaps:
            unclear = np.add.outer(np.arange(len(labels)), 3 * np.arange(labels.shape[1])) % 10 == 0
            labels = labels.mask(unclear, -1)
        labels[UNANNOTATED] = np.int8(-1)
        return labels[list(CONCEPTS)].astype(np.int8)

    def _recording(self, rng: np.random.Generator, row: int, group: int, *, gaps: bool) -> Recording:
        rate, seconds = RATES[group % len(RATES)], SECONDS[group % len(SECONDS)]
        leads = LEAD_ORDERS[group % len(LEAD_ORDERS)]
        signal = _heart(rng, np.arange(round(rate * seconds)) / rate, self.truth[row])
        signal = signal[[STANDARD_LEADS.index(lead) for lead in leads]]
        if gaps and row % 7 == 0:
            start = rng.integers(signal.shape[1] // 2)
            signal[:, start : start + round(rate / 4)] = np.nan
        if gaps and row % 11 == 0:
            signal[leads.index("V6")] = np.nan
        return Recording(signal, rate, leads)


@lru_cache(maxsize=8)
def mock_cohort(records: int, seed: int, *, gaps: bool) -> MockCohort:
    """Make a cohort, once a process: many models may be checked with it."""
    return MockCohort(records, seed, gaps=gaps)


def _heart(rng: np.random.Generator, time: npt.NDArray[np.float64], findings: npt.NDArray[np.int8]) -> Floats:
    """Twelve leads in mV: beats, faster or wider than usual, with or without waves of 6 Hz."""
    fast, fibrillates, wide = findings
    beats_per_second = rng.uniform(2.3, 2.7) if fast else rng.uniform(1.0, 1.2)
    phase = (time * beats_per_second + rng.random()) % 1 - 0.5
    from_beat = phase / beats_per_second
    wave = np.exp(-((from_beat / (0.06 if wide else 0.018)) ** 2))
    wave += fibrillates * 0.25 * np.sin(2 * np.pi * (6 * time + rng.random()))
    gains = {lead: rng.uniform(0.8, 1.2) for lead in ("I", "V2", "V3", "V4", "V5", "V6")}
    gains |= {"II": rng.uniform(1.4, 1.8), "V1": -rng.uniform(0.8, 1.2)}
    rows = {lead: gain * wave + rng.normal(0, 0.02, len(time)) for lead, gain in gains.items()}
    one, two = rows["I"], rows["II"]
    rows |= {"III": two - one, "aVR": -(one + two) / 2, "aVL": one - two / 2, "aVF": two - one / 2}
    return np.stack([rows[lead] for lead in STANDARD_LEADS]).astype(np.float32)
