"""What one result says of the items of TRIPOD+AI, each in one sentence; empty where it says nothing.

Parameters are the record of the result and, where one is asked for, the card of its cohort, None if that is
private.
"""

from __future__ import annotations

from benchmark.metrics.cell.operating_points import Thresholds
from benchmark.records.record import ResultRecord
from benchmark.report.facts import copy_size, overlap_text
from benchmark.report.model_facts import training_text
from benchmark.report.tables import cohort_label, selected
from benchmark.report.text import count, interval
from cohorts.catalogue import is_private
from cohorts.cohort import CohortCard
from cohorts.counts import plural

REASONS = 10
"""Why records could not be used, as far as they are listed; all stand in leaderboard.json."""


def model(record: ResultRecord) -> str:
    """Name the model and how it was asked."""
    return f"{record.model.name} ({record.protocol})"


def source(record: ResultRecord, card: CohortCard | None) -> str:
    """Say what the cohort is, and which release of it."""
    cohort = record.cohort
    kind = "synthetic recordings in the layout of" if cohort.simulated else "recordings of patients:"
    said = f"{cohort_label(cohort)}: {kind} {cohort.name}, version {cohort.version}"
    said += f", {copy_size(cohort, record.records)}, fingerprint {cohort.fingerprint[:12]}"
    return f"{said}. {card.citation}. {card.url}" if card else f"{said}. A private cohort."


def place(record: ResultRecord, card: CohortCard | None) -> str:
    """Say from which country it is."""
    return f"{cohort_label(record.cohort)}: {card.country}." if card and card.country else ""


def flow(record: ResultRecord) -> str:
    """Say what became of all its records."""
    counts = record.records
    return (
        f"{cohort_label(record.cohort)}, {selected(counts)}: {plural(counts.found, 'record')} found, "
        f"{count(counts.unusable)} could not be used, {count(counts.unselected)} not selected, "
        f"{count(counts.scored)} scored."
    )


def missing(record: ResultRecord) -> str:
    """Say why records could not be used."""
    found = record.records
    reasons = [f"{one.reason} ({count(len(one.record_ids))})" for one in found.quarantined]
    if is_private(record.cohort.id) or record.cohort.private:
        reasons = reasons and [f"{count(found.unusable)}, for reasons that are not told"]
    elif len(reasons) > REASONS:
        reasons[REASONS:] = [f"and {plural(len(reasons) - REASONS, 'other reason')}"]
    said = "; ".join(reasons) or "none"
    return f"{cohort_label(record.cohort)}, records that could not be used: {said}."


def answered(record: ResultRecord) -> str:
    """Say how many of the scored records are annotated."""
    found = [metrics.n for metrics in record.evaluation.concepts.values()]
    if not found or min(found) == record.records.scored:
        return ""
    return (
        f"{cohort_label(record.cohort)}: {count(min(found))} to {count(max(found))} of "
        f"{plural(record.records.scored, 'scored record')} are annotated, by concept."
    )


def groups(record: ResultRecord) -> str:
    """Say how many scored records each subgroup has."""
    shown = [
        f"{name}: " + ", ".join(f"{group} {count(one.records)}" for group, one in by.groups.items())
        for name, by in record.statistics.subgroups.items()
    ]
    return f"{cohort_label(record.cohort)}, scored records by {'; '.join(shown)}." if shown else ""


def used(record: ResultRecord) -> str:
    """Say which records were scored, and whether the model had learnt from them."""
    cohort = cohort_label(record.cohort)
    return f"{model(record)} on {cohort}: {selected(record.records)}, {record.relation}."


def size(record: ResultRecord) -> str:
    """Say how many records and positives there are."""
    drawn = record.evaluation.bootstrap
    counted = [metrics.positives for metrics in record.evaluation.concepts.values() if metrics.eligible]
    few = f"{count(min(counted))} to {count(max(counted))} positives" if counted else "too few positives"
    concepts = plural(len(counted), "concept")
    patients = f" of {plural(drawn.groups, 'patient')}" if drawn.unit == "patients" else ""
    return (
        f"{model(record)} on {cohort_label(record.cohort)}: "
        f"n = {plural(record.records.scored, 'record')}{patients}, {few} in {concepts} of the "
        "macro average."
    )


def described(record: ResultRecord) -> str:
    """Say what the model is, in the words of its card."""
    return f"{record.model.name}: {record.model.description.rstrip('.') or 'not described'}."


def predicted(record: ResultRecord) -> str:
    """Say how scores were computed."""
    made = record.provenance
    moved = f" {made.rounding.sentence}" if made.rounding else ""
    return f"{model(record)}: device {made.device}, {made.dtype}, batches of {made.batch_size}.{moved}"


def access(record: ResultRecord, card: CohortCard | None) -> str:
    """Say who may have the data."""
    label = cohort_label(record.cohort)
    if record.cohort.simulated:
        return f"{label}: synthetic, made by 'leadboard simulate'."
    return f"{label}: {card.access}, {card.licence}, {card.url}" if card else f"{label}: private."


def code(record: ResultRecord) -> str:
    """Name the version of the code."""
    made = record.provenance
    return f"Leadboard {made.leadboard}, commit {made.commit or 'not known'}, Python {made.python}."


def weights(record: ResultRecord) -> str:
    """Name the version of the model, its licence and its weights."""
    card, hashes = record.model, ", ".join(one[:12] for one in record.weights_sha256)
    said = f"{model(record)}, version {card.version}: licence {card.licence or 'not stated'}, "
    return said + f"{card.citation or 'no citation'}, weights (SHA-256) {hashes or 'not told apart'}."


def trained(record: ResultRecord) -> str:
    """Say what the model was trained on here."""
    return f"{model(record)}: {training_text(record)}." if record.training else ""


def performance(record: ResultRecord) -> str:
    """Give the macro averages."""
    macro = record.evaluation.macro
    return (
        f"{model(record)} on {cohort_label(record.cohort)} ({record.relation}, "
        f"n = {count(record.records.scored)}, {plural(len(macro.concepts), 'concept')}): macro AUROC "
        f"{interval(macro.auroc)}, macro AUPRC {interval(macro.auprc)}."
    )


def gap(record: ResultRecord) -> str:
    """Give the largest gap between subgroups."""
    gaps = [
        f"by {name} {by.gap.highest} minus {by.gap.lowest} {interval(by.gap.difference)}"
        for name, by in record.statistics.subgroups.items()
        if by.gap is not None
    ]
    where = f"{model(record)} on {cohort_label(record.cohort)}"
    return f"{where}, largest gap in macro AUROC: {'; '.join(gaps)}." if gaps else ""


def thresholds(found: Thresholds) -> str:
    """Say what thresholds were chosen on."""
    if found.source is None:
        return f"no thresholds ({found.reason or 'none were chosen'})"
    chosen = (
        f"thresholds chosen on {plural(found.records, 'record')} of the validation fold of {found.source}"
    )
    return f"{chosen} and used unchanged everywhere"


def groupings(record: ResultRecord) -> str:
    """Say between which groups performance was compared."""
    names = list(record.statistics.subgroups)
    if not names:
        return f"{cohort_label(record.cohort)}: neither sex nor age is known, so no groups were compared."
    return f"{cohort_label(record.cohort)}: performance was compared between groups by {' and '.join(names)}."


def shared(record: ResultRecord) -> str:
    """Say how many of its records the model had learnt from already."""
    if record.overlap is None:
        return ""
    return f"{cohort_label(record.cohort)}: {overlap_text(record.overlap)}."
