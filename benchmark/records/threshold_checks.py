"""Choosing the thresholds of a record again, from the scores on the validation fold that it names."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from benchmark.metrics.cell.operating_points import Thresholds
from benchmark.records.comparability import labelling_of
from benchmark.records.findings import Findings
from benchmark.records.predictions import content_hash, load_predictions, score_matrix
from benchmark.records.recomputation import compare_fields
from benchmark.records.record import ResultRecord
from benchmark.records.thresholds import choose_thresholds, is_validation_fold, why_not_applied
from benchmark.text import some
from cohorts.catalogue import measured_cards
from cohorts.errors import LeadboardError
from cohorts.labelled import Labelled, LabelledCohorts


def check_thresholds(
    findings: Findings, record: ResultRecord, scores: Path, columns: Sequence[str], stores: LabelledCohorts
) -> None:
    """Check where the thresholds of a record come from, and choose them again.

    Parameters
    ----------
    scores
        Where its predictions on the validation fold should be.
    columns
        That these should have.
    """
    stated = record.provenance.thresholds
    if stated.source is None:
        findings.check(
            not stated.concepts, "has thresholds, but does not say which cohort they were chosen on"
        )
        return
    refused = why_not_applied(stated.source, record.cohort.id, record.records.selection)
    findings.check(not refused, f"has thresholds that must not be applied: {refused}")
    if not scores.is_file():
        findings.skip(f"thresholds: the predictions on the validation fold of {stated.source} are not there")
        return
    predictions = _predictions(findings, stated, scores, columns)
    source = None if predictions is None else _source(findings, record, stores)
    if predictions is None or source is None:
        return
    of_the_fold = findings.check(
        is_validation_fold(predictions, source),
        f"has thresholds from other records than the validation fold of {stated.source}",
    )
    if of_the_fold:
        found = choose_thresholds(predictions, source).model_copy(update={"labelling": stated.labelling})
        compare_fields(findings, stated, found, "provenance.thresholds")


def _predictions(
    findings: Findings, stated: Thresholds, scores: Path, columns: Sequence[str]
) -> pd.DataFrame | None:
    """Read the scores on the validation fold; None where they are not those that the record names."""
    try:
        predictions, _ = load_predictions(scores)
    except LeadboardError as error:
        findings.check(False, str(error))
        return None
    usable = findings.check(
        list(predictions.columns) == ["record_id", *columns],
        f"has predictions of {some(predictions.columns[1:])} on the validation fold; its card and training "
        f"ask for {some(columns)}",
    )
    usable &= findings.check(
        bool(np.isfinite(score_matrix(predictions)).all()),
        "has predictions on the validation fold that are not finite",
    )
    usable &= findings.check(
        content_hash(predictions) == stated.predictions_sha256,
        "has other predictions on the validation fold than its thresholds were chosen from (their SHA-256 "
        "differs)",
    )
    return predictions if usable else None


def _source(findings: Findings, record: ResultRecord, stores: LabelledCohorts) -> Labelled | None:
    """Give the source cohort as the thresholds were chosen on it, or say why it is not to be had."""
    stated = record.provenance.thresholds
    name = str(stated.source)
    try:
        store = stores(name) if name in measured_cards() else None
    except LeadboardError as error:
        findings.skip(f"thresholds: {error}")
        return None
    if store is None:
        findings.skip(f"thresholds: cohort {name} is not on this machine")
    elif store.fingerprint != stated.fingerprint:
        findings.skip(f"thresholds: this is not the state of {name} that they were chosen on")
    elif stated.labelling not in (None, labelling_of(store.card, record.model.outputs).hash):
        findings.skip(f"thresholds: the labels of {name} are of another ontology")
    else:
        return store
    return None
