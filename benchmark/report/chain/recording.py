"""The chain for one ECG: what is stated of it, its label, its signal, its score among the others."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from benchmark.protocols.harmonise import harmonise
from benchmark.records.measuring import PREDICTIONS
from benchmark.records.record import ResultRecord
from benchmark.report.chain.labelling import NAMES, why_labels
from benchmark.report.chain.link import Link
from benchmark.report.chain.signals import resampling, windows
from cohorts.cohort import CohortCard
from cohorts.counts import plural
from cohorts.labelled import Labelled
from cohorts.store import Store
from cohorts.tasks import all_tasks


def statements_link(concept: str, card: CohortCard, codes: tuple[str, ...], label: int) -> Link:
    """Say what is stated of a recording, and how each source of labels reads it.

    Parameters
    ----------
    label
        That it was measured by.
    """
    why = why_labels(card, concept)
    rows = [
        {
            "code": code,
            "name": why.name(code),
            "says of it": ", ".join(
                dict.fromkeys(f"{row.relation} {row.concept}" for row in why.meanings(code))
            )
            or "nothing",
        }
        for code in codes
    ]
    sources = [_read_by(f"{card.id}, by '{card.vocabulary}'", card, concept, codes)]
    sources += [
        _read_by(f"{card.id}, {name}", card.model_copy(update={"vocabulary": vocabulary}), concept, codes)
        for name, vocabulary in card.readings.items()
        if vocabulary != card.vocabulary
    ]
    sources += [
        _read_by(f"published task {task.name}", task.card, concept, codes)
        for task in all_tasks().values()
        if task.cohort.id == card.id and concept in task.classes
    ]
    facts = {"statements": rows, "label": NAMES[label], "sources": sources}
    tables = {"Its statements:" if rows else "It has no statements.": rows, "Its label, by source:": sources}
    lines = [(concept, f"{NAMES[label]}: {sources[0]['because']}")]
    differs = () if sources[0]["label"] == NAMES[label] else ("Its statements give another label here.",)
    return Link("statements", "What is stated of it", lines, facts, tables, differs)


def _read_by(source: str, card: CohortCard, concept: str, codes: tuple[str, ...]) -> dict[str, Any]:
    reason = why_labels(card, concept).of(codes)
    because = reason.by + (f" ({', '.join(reason.codes)})" if reason.codes else "")
    return {"source": source, "label": NAMES[reason.label], "because": because}


def signal_link(record: ResultRecord, store: Store, position: int) -> Link:
    """Say what was done to the signal of a recording, by doing it once more."""
    recording, spec = store.recording(position), record.model.input
    samples = recording.signal.shape[1]
    missing = int(np.isnan(recording.signal).sum())
    stored = [
        (
            "recorded",
            f"{plural(samples, 'sample')} at {recording.sampling_rate:g} Hz, "
            f"{samples / recording.sampling_rate:g} s",
        ),
        ("missing", f"{plural(missing, 'sample')} over all leads" + (", given as 0 mV" if missing else "")),
    ]
    facts: dict[str, Any] = {
        "samples": samples,
        "sampling_rate": recording.sampling_rate,
        "missing_samples": missing,
    }
    if record.protocol == PREDICTIONS:
        stored.append(("given to the model", "elsewhere, by whoever made the predictions"))
        return Link("signal", "Its signal", stored, facts)
    number, resampled = windows(samples, recording.sampling_rate, spec)
    given = harmonise(recording, spec)
    beyond = resampled - number * spec.samples
    lines = [
        *stored,
        (
            "resampled",
            f"{resampling(recording.sampling_rate, spec)}: {resampled:,} samples at "
            f"{spec.sampling_rate:g} Hz",
        ),
        (
            "windows",
            f"{number} of {spec.samples:,} samples ({spec.long_records})"
            + (f"; {plural(beyond, 'sample')} left out" if beyond > 0 else "")
            + (f"; {plural(-beyond, 'zero')} at the end" if beyond < 0 else ""),
        ),
        ("given", f"{plural(len(spec.leads), 'lead')}, {given.min():.3f} to {given.max():.3f} {spec.unit}"),
    ]
    facts |= {
        "resampled": resampling(recording.sampling_rate, spec),
        "samples_given": resampled,
        "windows": number,
        "left_out": max(beyond, 0),
        "filled_up": max(-beyond, 0),
        "lowest": float(given.min()),
        "highest": float(given.max()),
        "unit": spec.unit,
    }
    return Link("signal", "Its signal", lines, facts)


def score_link(
    record_id: str, ids: pd.Series[str], fits: list[pd.Series[Any]], labels: npt.NDArray[np.int8] | None
) -> Link:
    """Say what the model gave a recording, and where that lies among the others.

    Parameters
    ----------
    ids
        Of the records that were scored; ``record_id`` may not be among them.
    labels
        Theirs; None where the release is not here.
    """
    at = np.flatnonzero(ids.to_numpy() == record_id)
    if not len(at):
        said = "none: it was not scored (not selected, or left out)"
        return Link("score", "Its score", [("score", said)], {"score": None})
    values = np.mean([fit.to_numpy(np.float64) for fit in fits], axis=0)
    own = float(values[at[0]])
    higher, alike = int((values > own).sum()), int((values == own).sum())
    lines = [
        ("score", f"{own:.6g}" + (f", the mean of {len(fits)} fits" if len(fits) > 1 else "")),
        (
            "rank",
            f"{higher + 1:,} of {len(values):,}, the highest score first"
            + (f", shared by {alike:,}" if alike > 1 else ""),
        ),
    ]
    facts: dict[str, Any] = {
        "score": own,
        "fits": [float(fit.iloc[at[0]]) for fit in fits],
        "rank": higher + 1,
        "of": len(values),
        "alike": alike,
    }
    for label, name in ((1, "positive"), (0, "negative")) if labels is not None else ():
        others = values[(labels == label) & (np.arange(len(values)) != at[0])]
        above = int((others > own).sum())
        lines.append(("above it", f"{above:,} of the {len(others):,} other {name} records"))
        facts |= {f"{name}_above": above, f"{name}_others": len(others)}
    return Link("score", "Its score", lines, facts)


def position_of(labelled: Labelled, record_id: str) -> int | None:
    """Find a recording by its id; None if it cannot be measured."""
    rows = np.flatnonzero(labelled.index["record_id"].to_numpy() == record_id)
    return int(rows[0]) if len(rows) else None
