"""The first look itself: a sample of the recordings, everything of the index."""

from __future__ import annotations

import itertools
import math
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from cohorts.catalogue import introduce
from cohorts.cohort import Cohort
from cohorts.conformance import problems
from cohorts.errors import RecordError
from cohorts.first_look.finding import Finding, reasons, shown
from cohorts.first_look.people import people
from cohorts.first_look.signals import Doubt, doubts, usual_rate
from cohorts.first_look.words import WORDS
from cohorts.ontology.ontology import load_ontology
from cohorts.own.cohort import OwnCohort
from cohorts.recording import Recording, standard_leads

SAMPLE = 50
SHEETS = 3

USUAL_LOW, USUAL_HIGH = 48.0, 120.0
"""Beats per minute, median of a sample. Nine releases have 63 to 92, half and twice that lie outside."""

LEAST_FOR_RATES = 10
"""Recordings with a heart rate from which on their median says something."""


@dataclass(frozen=True)
class FirstLook:
    """What was seen.

    Attributes
    ----------
    records, patients
        Of the index; patients is None where the cohort names none.
    read
        How many of the sampled recordings could be read, and ``sampled`` how many were tried.
    leads
        Names as stored -> recordings of the sample.
    rates, seconds
        Sampling rate in Hz, and duration in s -> recordings of the sample.
    ages
        Lowest, median and highest age in years, None where none is known.
    unknown_ages
        Records without one.
    sexes
        "female", "male" and "unknown" -> records.
    concepts
        Index: annotated concepts; columns ``positive``, ``negative``, ``open``, in records.
    sheets
        Ids and recordings to be drawn.
    """

    records: int
    patients: int | None
    sampled: int
    read: int
    leads: dict[tuple[str, ...], int]
    rates: dict[float, int]
    seconds: dict[float, int]
    ages: tuple[float, float, float] | None
    unknown_ages: int
    sexes: dict[str, int]
    concepts: pd.DataFrame
    findings: tuple[Finding, ...]
    sheets: tuple[tuple[str, Recording], ...]


def first_look(
    cohort: Cohort, seed: int = 0, progress: Callable[[int, int], None] | None = None
) -> FirstLook:
    """Look at a cohort.

    Parameters
    ----------
    seed
        Of the choice of recordings, one from each of `SAMPLE` equal stretches of the index.
    progress
        Called with (recordings done, recordings in all).

    Raises
    ------
    LeadboardError
        If its index cannot be read.
    """
    introduce(cohort)
    index = cohort.index()
    seen = _Seen()
    positions = _spread(len(index), seed)
    for number, position in enumerate(positions, start=1):
        row = index.iloc[position]
        seen.look(str(row["record_id"]), cohort, row)
        if progress is not None:
            progress(number, len(positions))
    about_class = (
        [Finding(text, 0, 0, (), "") for text in problems(cohort, signals=False)] if len(index) else []
    )
    told = [finding for finding in about_class if not _told_elsewhere(finding.what, cohort)]
    ages = index["age"].dropna()
    return FirstLook(
        records=len(index),
        patients=int(index["patient_id"].nunique()) if index["patient_id"].notna().any() else None,
        sampled=len(positions),
        read=len(seen.recordings),
        leads=dict(seen.leads),
        rates=dict(sorted(seen.rates.items())),
        seconds=dict(sorted(seen.seconds.items())),
        ages=(float(ages.min()), float(ages.median()), float(ages.max())) if len(ages) else None,
        unknown_ages=int(index["age"].isna().sum()),
        sexes={str(sex): int(count) for sex, count in index["sex"].fillna("unknown").value_counts().items()},
        concepts=_concepts(cohort, index),
        findings=(
            *seen.findings(len(positions)),
            *(people(cohort) if len(index) else ()),
            *_warned(cohort),
            *told,
        ),
        sheets=_sheets(seen.recordings, seed),
    )


def _told_elsewhere(sentence: str, cohort: Cohort) -> bool:
    """Whether `people` says the same with numbers, or the warnings of a description in its words."""
    if "annotates no concept" in sentence:
        return isinstance(cohort, OwnCohort)
    return "cannot be indexed" in sentence or "understands the sexes" in sentence


def _warned(cohort: Cohort) -> Iterator[Finding]:
    examples = cohort.examples()
    for sentence in cohort.warnings():
        yield Finding(sentence, 0, 0, examples.get(sentence, ()), "")


def _spread(records: int, seed: int) -> npt.NDArray[np.int64]:
    """Choose one position from each of equal stretches of an index."""
    edges = np.linspace(0, records, min(SAMPLE, records) + 1).astype(np.int64)
    rng = np.random.default_rng(seed)
    chosen = [rng.integers(low, high) for low, high in itertools.pairwise(edges)]
    return np.array(chosen, dtype=np.int64)


def _sheets(recordings: dict[str, Recording], seed: int) -> tuple[tuple[str, Recording], ...]:
    """Choose the recordings to draw."""
    ids = list(recordings)
    chosen = np.random.default_rng(seed).permutation(len(ids))[:SHEETS]
    return tuple((ids[at], recordings[ids[at]]) for at in sorted(chosen))


def _concepts(cohort: Cohort, index: pd.DataFrame) -> pd.DataFrame:
    """Count labels by annotated concept."""
    ontology, card = load_ontology(), cohort.card
    labels = ontology.labels(card.id, card.vocabulary, index["statements"].tolist())
    labels = labels.loc[:, (ontology.coverage(card.id) == "annotated").to_numpy()]
    values = {
        name: (labels == value).sum() for name, value in (("positive", 1), ("negative", 0), ("open", -1))
    }
    return pd.DataFrame(values)


class _Seen:
    """What was seen of the recordings so far."""

    def __init__(self) -> None:
        self.recordings: dict[str, Recording] = {}
        self.leads: Counter[tuple[str, ...]] = Counter()
        self.rates: Counter[float] = Counter()
        self.seconds: Counter[float] = Counter()
        self._doubts: dict[Doubt, list[str]] = {}
        self._beats: list[float] = []
        self._content: dict[bytes, str] = {}
        self._reasons: Counter[str] = Counter()

    def look(self, record_id: str, cohort: Cohort, row: pd.Series[Any]) -> None:
        """Read one recording and look at it."""
        try:
            native = cohort.read(row)
            digital = standard_leads(native)
        except RecordError as error:
            self._note(Doubt("unreadable"), record_id)
            self._reasons[str(error).rstrip(".")] += 1
            return
        standard = digital.to_recording()
        self.recordings[record_id] = standard
        self.leads[native.leads] += 1
        self.rates[native.sampling_rate] += 1
        self.seconds[round(native.counts.shape[1] / native.sampling_rate, 1)] += 1
        beats = usual_rate(standard)
        if math.isfinite(beats):
            self._beats.append(beats)
        for doubt in doubts(native.to_recording(), standard, beats):
            self._note(doubt, record_id)
        first = self._content.setdefault(standard.signal.tobytes(), record_id)
        if first != record_id:
            self._note(Doubt("twice"), first)
            self._note(Doubt("twice"), record_id)

    def _note(self, doubt: Doubt, record_id: str) -> None:
        noted = self._doubts.setdefault(doubt, [])
        if record_id not in noted:
            noted.append(record_id)

    def findings(self, sampled: int) -> Iterator[Finding]:
        """Put what was doubtful about single recordings together, in the order of the words."""
        kinds = list(WORDS)
        for doubt, ids in sorted(
            self._doubts.items(), key=lambda item: (kinds.index(item[0].kind), item[0].detail)
        ):
            what, to_do = WORDS[doubt.kind]
            if doubt.kind == "unreadable":
                to_do = reasons(self._reasons)
            yield Finding(what.format(doubt.detail), len(ids), sampled, shown(ids), to_do)
        if len(self._beats) >= LEAST_FOR_RATES:
            usual = float(np.median(self._beats))
            if not USUAL_LOW <= usual <= USUAL_HIGH:
                what, to_do = WORDS["rates"]
                yield Finding(what.format(f"{usual:.0f}"), len(self._beats), sampled, (), to_do)
