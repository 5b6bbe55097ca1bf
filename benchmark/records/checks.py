"""What of one result record can be checked by itself and by its predictions, without labels."""

from __future__ import annotations

from math import fsum, isclose
from pathlib import Path

import numpy as np
import pandas as pd

from benchmark.metrics.cell.evaluation import Evaluation
from benchmark.models.contamination import relation_of, unstated_training
from benchmark.records.comparability import labelling_of, resampling_of
from benchmark.records.findings import Findings
from benchmark.records.locations import RecordFiles
from benchmark.records.measuring import PREDICTIONS, keys_of
from benchmark.records.overlap import also_in
from benchmark.records.predictions import AGE, FIT, content_hash, load_predictions, score_matrix
from benchmark.records.recomputation import TOLERANCE, check_against_labels
from benchmark.records.record import ResultRecord, load_record
from benchmark.records.threshold_checks import check_thresholds
from benchmark.text import some
from cohorts.catalogue import cohort_cards, measured_cards
from cohorts.counts import plural
from cohorts.errors import LeadboardError
from cohorts.labelled import LabelledCohorts
from cohorts.ontology.ontology import load_ontology
from cohorts.tasks import all_tasks

MOST_FITS = 100
"""More than anybody averages: a stranger's record must not ask for a million columns."""


def check_record(findings: Findings, files: RecordFiles, stores: LabelledCohorts) -> ResultRecord | None:
    """Check one record and its predictions.

    Returns
    -------
    The record, None if it cannot be read.
    """
    try:
        record = load_record(files.record)
    except LeadboardError as error:
        findings.check(False, str(error))
        return None
    sound = _check_statements(findings, record)
    _check_arithmetic(findings, record.evaluation)
    predictions = _check_predictions(findings, record, files.predictions)
    check_thresholds(findings, record, files.validation, _columns(record), stores)
    if sound and predictions is not None:
        check_against_labels(findings, record, predictions, stores)
    return record


def check_same_model(findings: Findings, first: ResultRecord, other: ResultRecord) -> None:
    """Check that two records of one model and protocol are of the same card, code, weights and settings.

    The outputs may differ: submitted predictions need not have the same columns for every cohort.
    """

    def made_with(record: ResultRecord) -> tuple[object, ...]:
        origin = record.origin if first.origin and other.origin else None  # older records do not state it
        return record.weights_sha256, record.training, record.pretraining, origin

    card = other.model.model_copy(update={"outputs": first.model.outputs})
    findings.check(card == first.model, f"has another card than the record of {first.cohort.id}")
    findings.check(
        made_with(other) == made_with(first),
        f"is of other weights or other code than the record of {first.cohort.id}",
    )
    findings.check(
        resampling_of(other) == resampling_of(first),
        f"states another seed, number of resamples or level than the record of {first.cohort.id}",
    )


def _check_statements(findings: Findings, record: ResultRecord) -> bool:
    """Check what a record says against the catalogue, the ontology and itself.

    Returns
    -------
    Whether it is of a known cohort and of known concepts.
    """
    cards, card, task = measured_cards(), record.model, all_tasks().get(record.cohort.id)
    known = {*load_ontology().concepts.index, *(task.classes if task else ())}
    outputs = () if card.outputs == "any" else card.outputs
    unknown = [output for output in outputs if output not in known]
    sound = findings.check(
        bool(outputs) and not unknown,
        f"has outputs that are no concepts: {some(unknown)}" if unknown else "names no outputs",
    )
    concepts = list(record.evaluation.concepts)
    findings.check(
        concepts == [output for output in outputs if output in concepts],
        "has metrics of concepts that are no outputs of the model, or in another order",
    )
    counts = record.records
    findings.check(
        counts.found == counts.scored + counts.unselected + counts.unusable and counts.unselected >= 0,
        f"says that {plural(counts.found, 'record was', 'records were')} found, but "
        f"{counts.scored} scored, {counts.unselected} unselected and {counts.unusable} unusable",
    )
    strangers = (
        [] if card.trained_on == "undisclosed" else [x for x in card.trained_on if x not in cohort_cards()]
    )
    findings.check(not strangers, f"was trained on cohorts that do not exist: {some(strangers)}")
    if not findings.check(
        record.cohort.id in cards, f"is of a cohort that does not exist: {record.cohort.id}"
    ):
        return False
    here = cards[record.cohort.id]
    labelling = labelling_of(here, outputs)
    findings.check(
        (record.ontology.hash, record.ontology.concepts) == (labelling.hash, labelling.concepts),
        f"is labelled by ontology {record.ontology.version} ({record.ontology.hash[:12]}), here it is "
        f"{labelling.version} ({labelling.hash[:12]}); measure its predictions again",
    )
    findings.check(
        (record.cohort.name, record.cohort.version) == (here.name, here.version),
        f"names its cohort '{record.cohort.name}' {record.cohort.version}, not '{here.name}' {here.version}",
    )
    _check_relation(findings, record)
    _check_precision(findings, record)
    return sound


def _check_relation(findings: Findings, record: ResultRecord) -> None:
    card, cohort = record.model, record.cohort.id
    made_here = record.pretraining is not None
    related = relation_of(card, cohort, pretrained_here=made_here, also_in=also_in(record.overlap))
    seen = "undisclosed data" if card.trained_on == "undisclosed" else some(card.trained_on) or "none of them"
    findings.check(
        record.relation == related,
        f"calls {cohort} {record.relation} to a model trained on {seen}; it is {related}",
    )
    unstated = unstated_training(card, pretrained_here=made_here)
    if unstated:
        findings.remark(unstated)
    if record.cohort.simulated:
        findings.remark("is of simulated recordings: it says nothing about patients")
    if (
        related == "internal"
        and record.records.selection == "all"
        and measured_cards()[cohort].folds is not None
    ):
        findings.remark(f"is measured on all records of {cohort}, those that it was trained on among them")


def _check_precision(findings: Findings, record: ResultRecord) -> None:
    """Check what is stated of scores in lower precision; only who asks the model again can check its size."""
    made, rounding = record.provenance, record.provenance.rounding
    findings.check(
        (rounding is not None) == (made.dtype != "float32"),
        f"has scores in {made.dtype} {'and' if rounding else 'without'} a difference from those in float32",
    )
    findings.check(
        rounding is None or (rounding.mean <= rounding.largest and rounding.records <= record.records.scored),
        "has differences from float32 that do not go together, or of more records than were scored",
    )


def _check_arithmetic(findings: Findings, evaluation: Evaluation) -> None:
    """Check what numbers must be to each other, whatever the labels are."""
    for concept, metrics in evaluation.concepts.items():
        n, positives = metrics.n, metrics.positives
        share = positives / n if n else None
        fits = 0 <= positives <= n and (
            metrics.prevalence is None if share is None else _close(metrics.prevalence, share)
        )
        findings.check(
            fits and metrics.eligible == (min(positives, n - positives) >= evaluation.macro.minimum),
            f"has n, positives, prevalence and eligibility of {concept} that do not go together",
        )
    macro = evaluation.macro
    eligible = {concept: metrics for concept, metrics in evaluation.concepts.items() if metrics.eligible}
    findings.check(
        macro.concepts == tuple(eligible), "has a macro average over other concepts than the eligible"
    )
    for metric in ("auroc", "auprc"):
        values = [getattr(metrics, metric).value for metrics in eligible.values()]
        mean = None if not values or None in values else fsum(values) / len(values)
        stated = getattr(macro, metric).value
        findings.check(
            stated is None if mean is None else _close(stated, mean),
            f"has a macro {metric.upper()} of {stated}, but the mean over its concepts is {mean}",
        )


def _close(stated: float | None, value: float) -> bool:
    return stated is not None and isclose(stated, value, rel_tol=0.0, abs_tol=TOLERANCE)


def _check_predictions(findings: Findings, record: ResultRecord, path: Path) -> pd.DataFrame | None:
    """Check the predictions against the record; None where no numbers can follow from them."""
    stated = record.predictions
    findings.check(stated.file == path.name, f"names its predictions '{stated.file}', not {path.name}")
    try:
        predictions, key = load_predictions(path)
    except LeadboardError as error:
        findings.check(False, str(error))
        return None
    expected = [*_columns(record), *([] if record.age is None else [AGE])]
    usable = findings.check(
        list(predictions.columns) == ["record_id", *expected],
        f"has predictions of {some(predictions.columns[1:])}; its card and training ask for {some(expected)}",
    )
    findings.check(
        content_hash(predictions) == stated.sha256,
        "has other predictions than it was made from (their SHA-256 differs)",
    )
    findings.check(
        len(predictions) == stated.rows == record.records.scored,
        f"has {plural(len(predictions), 'prediction')}, but states {stated.rows} and "
        f"{record.records.scored} scored",
    )
    usable &= findings.check(
        predictions["record_id"].is_unique, "has predictions of one record more than once"
    )
    usable &= findings.check(
        bool(np.isfinite(score_matrix(predictions)).all()), "has predictions that are not finite"
    )
    if record.protocol == PREDICTIONS:
        findings.check(
            (key, record.key) == keys_of(record),
            "has a key that is not of its card, its predictions and its settings: one of them was edited",
        )
    return predictions if usable else None


def _columns(record: ResultRecord) -> list[str]:
    """Columns that the predictions should have (see `benchmark.records.predictions.save_predictions`)."""
    fits = len(record.training)
    outputs = [str(output) for output in record.model.outputs]
    if fits > 1:
        outputs = [f"{output}{FIT}{fit}" for fit in range(1, min(fits, MOST_FITS) + 1) for output in outputs]
    return outputs
