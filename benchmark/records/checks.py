"""What of one result record can be checked by itself and by its predictions, without labels."""

from __future__ import annotations

from math import fsum, isclose
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from benchmark.files import MOST_TABLE_BYTES, read_json
from benchmark.metrics.cell.evaluation import Evaluation
from benchmark.metrics.checks import ELIGIBLE_MINIMUM
from benchmark.models.contamination import relation_of, unstated_training
from benchmark.records.comparability import labelling_of
from benchmark.records.findings import Spot
from benchmark.records.measuring import PREDICTIONS, keys_of
from benchmark.records.predictions import FIT, content_hash, score_matrix
from benchmark.records.recomputation import TOLERANCE, check_against_labels
from benchmark.records.record import ResultRecord, load_record
from benchmark.text import some
from cohorts.catalogue import cohort_cards
from cohorts.errors import LeadboardError
from cohorts.ontology.ontology import load_ontology
from cohorts.store import Stores

MOST_FITS = 100
"""More than anybody averages: a stranger's record must not ask for a million columns."""


def check_record(spot: Spot, path: Path, scores: Path, stores: Stores) -> ResultRecord | None:
    """Check one record and its predictions.

    Parameters
    ----------
    path, scores
        The record, and where its predictions should be.

    Returns
    -------
    The record, None if it cannot be read.
    """
    try:
        read_json(path)  # refuses what the schema would let pass
        record = load_record(path)
    except LeadboardError as error:
        spot.check(False, str(error))
        return None
    sound = _check_statements(spot, record)
    _check_arithmetic(spot, record.evaluation)
    predictions = _check_predictions(spot, record, scores)
    if sound and predictions is not None:
        check_against_labels(spot, record, predictions, stores)
    return record


def check_same_model(spot: Spot, first: ResultRecord, other: ResultRecord) -> None:
    """Check that two records of one model and protocol are of the same card, weights and settings.

    The outputs may differ: submitted predictions need not have the same columns for every cohort.
    """

    def made_with(record: ResultRecord) -> tuple[object, ...]:
        return record.weights_sha256, record.training, record.pretraining

    def drawn(record: ResultRecord) -> tuple[object, ...]:
        settings = record.evaluation.bootstrap
        return settings.seed, settings.resamples, settings.level

    card = other.model.model_copy(update={"outputs": first.model.outputs})
    spot.check(card == first.model, f"has another card than the record of {first.cohort.id}")
    spot.check(
        made_with(other) == made_with(first), f"is of other weights than the record of {first.cohort.id}"
    )
    spot.check(
        drawn(other) == drawn(first),
        f"states another seed, number of resamples or level than the record of {first.cohort.id}",
    )


def _check_statements(spot: Spot, record: ResultRecord) -> bool:
    """Check what a record says against the catalogue, the ontology and itself.

    Returns
    -------
    Whether it is of a known cohort and of known concepts.
    """
    cards, card, ontology = cohort_cards(), record.model, load_ontology()
    outputs = () if card.outputs == "any" else card.outputs
    unknown = [output for output in outputs if output not in ontology.concepts.index]
    sound = spot.check(
        bool(outputs) and not unknown,
        f"has outputs that are no concepts: {some(unknown)}" if unknown else "names no outputs",
    )
    concepts = list(record.evaluation.concepts)
    spot.check(
        concepts == [output for output in outputs if output in concepts],
        "has metrics of concepts that are no outputs of the model, or in another order",
    )
    counts = record.records
    spot.check(
        counts.found == counts.scored + counts.unselected + counts.unusable and counts.unselected >= 0,
        f"says that {counts.found} records were found, but {counts.scored} scored, {counts.unselected} "
        f"unselected and {counts.unusable} unusable",
    )
    strangers = [] if card.trained_on == "undisclosed" else [x for x in card.trained_on if x not in cards]
    spot.check(not strangers, f"was trained on cohorts that do not exist: {some(strangers)}")
    if not spot.check(record.cohort.id in cards, f"is of a cohort that does not exist: {record.cohort.id}"):
        return False
    here = cards[record.cohort.id]
    labelling = labelling_of(here, outputs)
    spot.check(
        (record.ontology.hash, record.ontology.concepts) == (labelling.hash, labelling.concepts),
        f"is labelled by ontology {record.ontology.version} ({record.ontology.hash[:12]}), here it is "
        f"{labelling.version} ({labelling.hash[:12]}); measure its predictions again",
    )
    spot.check(
        (record.cohort.name, record.cohort.version) == (here.name, here.version),
        f"names its cohort '{record.cohort.name}' {record.cohort.version}, not '{here.name}' {here.version}",
    )
    _check_relation(spot, record)
    return sound


def _check_relation(spot: Spot, record: ResultRecord) -> None:
    card, cohort = record.model, record.cohort.id
    made_here = record.pretraining is not None
    related = relation_of(card, cohort, pretrained_here=made_here)
    seen = "undisclosed data" if card.trained_on == "undisclosed" else some(card.trained_on) or "none of them"
    spot.check(
        record.relation == related,
        f"calls {cohort} {record.relation} to a model trained on {seen}; it is {related}",
    )
    unstated = unstated_training(card, pretrained_here=made_here)
    if unstated:
        spot.remark(unstated)
    if record.cohort.simulated:
        spot.remark("is of simulated recordings: it says nothing about patients")
    if (
        related == "internal"
        and record.records.selection == "all"
        and cohort_cards()[cohort].folds is not None
    ):
        spot.remark(f"is measured on all records of {cohort}, those that it was trained on among them")


def _check_arithmetic(spot: Spot, evaluation: Evaluation) -> None:
    """Check what numbers must be to each other, whatever the labels are."""
    for concept, metrics in evaluation.concepts.items():
        n, positives = metrics.n, metrics.positives
        share = positives / n if n else None
        fits = 0 <= positives <= n and (
            metrics.prevalence is None if share is None else _close(metrics.prevalence, share)
        )
        spot.check(
            fits and metrics.eligible == (min(positives, n - positives) >= ELIGIBLE_MINIMUM),
            f"has n, positives, prevalence and eligibility of {concept} that do not go together",
        )
    macro = evaluation.macro
    eligible = {concept: metrics for concept, metrics in evaluation.concepts.items() if metrics.eligible}
    spot.check(macro.concepts == tuple(eligible), "has a macro average over other concepts than the eligible")
    for metric in ("auroc", "auprc"):
        values = [getattr(metrics, metric).value for metrics in eligible.values()]
        mean = None if not values or None in values else fsum(values) / len(values)
        stated = getattr(macro, metric).value
        spot.check(
            stated is None if mean is None else _close(stated, mean),
            f"has a macro {metric.upper()} of {stated}, but the mean over its concepts is {mean}",
        )


def _close(stated: float | None, value: float) -> bool:
    return stated is not None and isclose(stated, value, rel_tol=0.0, abs_tol=TOLERANCE)


def _check_predictions(spot: Spot, record: ResultRecord, path: Path) -> pd.DataFrame | None:
    """Check the predictions against the record; None where no numbers can follow from them."""
    stated = record.predictions
    spot.check(stated.file == path.name, f"names its predictions '{stated.file}', not {path.name}")
    try:
        predictions, key = _load(path)
    except LeadboardError as error:
        spot.check(False, str(error))
        return None
    expected = _columns(record)
    usable = spot.check(
        list(predictions.columns) == ["record_id", *expected],
        f"has predictions of {some(predictions.columns[1:])}; its card and training ask for {some(expected)}",
    )
    spot.check(
        content_hash(predictions) == stated.sha256,
        "has other predictions than it was made from (their SHA-256 differs)",
    )
    spot.check(
        len(predictions) == stated.rows == record.records.scored,
        f"has {len(predictions)} predictions, but states {stated.rows} and {record.records.scored} scored",
    )
    usable &= spot.check(predictions["record_id"].is_unique, "has predictions of one record more than once")
    usable &= spot.check(
        bool(np.isfinite(score_matrix(predictions)).all()), "has predictions that are not finite"
    )
    if record.protocol == PREDICTIONS:
        spot.check(
            (key, record.key) == keys_of(record),
            "has a key that is not of its card, its predictions and its settings: one of them was edited",
        )
    return predictions if usable else None


def _columns(record: ResultRecord) -> list[str]:
    """Columns that the predictions should have (see `benchmark.records.predictions.save_predictions`)."""
    fits = len(record.training)
    outputs = [str(output) for output in record.model.outputs]
    if fits <= 1:
        return outputs
    return [f"{output}{FIT}{fit}" for fit in range(1, min(fits, MOST_FITS) + 1) for output in outputs]


def _load(path: Path) -> tuple[pd.DataFrame, str]:
    """Read a stranger's predictions table: text ids, single-precision scores, nothing else."""
    if path.is_symlink() or not path.is_file():
        raise LeadboardError(f"The predictions {path.name} are not there.")
    if path.stat().st_size > MOST_TABLE_BYTES:
        raise LeadboardError(f"The predictions {path.name} are too large.")
    try:
        file = pq.ParquetFile(path)
        schema = file.schema_arrow
        if file.metadata.num_rows * len(schema) * 4 > MOST_TABLE_BYTES:
            raise LeadboardError(f"The predictions {path.name} are too large.")
        plain = schema.names[:1] == ["record_id"] and len(set(schema.names)) == len(schema.names)
        text = plain and (pa.types.is_string(schema.types[0]) or pa.types.is_large_string(schema.types[0]))
        if not text or any(not pa.types.is_float32(kind) for kind in schema.types[1:]):
            raise LeadboardError(f"The predictions {path.name} are no table of record_id and float32 scores.")
        table = file.read()
        table.validate(full=True)
    except (OSError, ValueError, pa.ArrowException) as error:
        raise LeadboardError(f"The predictions {path.name} cannot be read ({error}).") from None
    if any(column.null_count for column in table.columns):
        raise LeadboardError(f"The predictions {path.name} have missing values.")
    key = (schema.metadata or {}).get(b"leadboard.key", b"").decode("utf-8", "replace")
    return table.replace_schema_metadata(None).to_pandas(), key
