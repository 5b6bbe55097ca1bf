"""What is said of a model beside its numbers: its card, what it has learnt from, and what it is given."""

from __future__ import annotations

from collections.abc import Iterable

from benchmark.models.model_card import InputSpec
from benchmark.records.measuring import PREDICTIONS
from benchmark.records.record import Pretraining, ResultRecord, Training
from benchmark.report.tables import Table, cohort_label, fact_table
from benchmark.report.text import UNDEFINED, count
from benchmark.text import one_line
from cohorts.counts import plural


def models_table(records: Iterable[ResultRecord]) -> Table:
    """One row for each distinct model card and way of training it."""
    rows = []
    for record in records:
        card = record.model
        rows.append(
            (
                card.name,
                record.protocol,
                card.version,
                card.description,
                card.licence or "not stated",
                card.citation or "not stated",
                trained_on(record),
                training_text(record),
                input_text(card.input),
                "probabilities" if card.probabilities else "scores",
                ", ".join(record.weights_sha256) or UNDEFINED,
            )
        )
    columns = (
        "Model",
        "Protocol",
        "Version",
        "Description",
        "Licence",
        "Citation",
        "Trained on",
        "Training",
        "Input",
        "Output",
        "Weights (SHA-256)",
    )
    return fact_table("Models", columns, dict.fromkeys(rows))


def training_text(record: ResultRecord) -> str:
    """Say what the suite did to the weights."""
    said = []
    pretraining = record.pretraining
    if pretraining is not None:
        sources = " and ".join(
            f"{source.cohort} ({plural(source.records, 'pair')}, "
            f"{count(source.validation_records)} for validation)"
            for source in pretraining.sources
        )
        without = f" without {', '.join(pretraining.held_out)}" if pretraining.held_out else ""
        said.append(
            f"pre-trained by this suite on {sources}{without}, seed {pretraining.seed}{_lower(pretraining)}"
        )
    if record.training:
        one = record.training[0]
        records = " / ".join(dict.fromkeys(count(fit.records) for fit in record.training))
        validation = " / ".join(dict.fromkeys(count(fit.validation_records) for fit in record.training))
        several = len(record.training) > 1
        seeds = f"seed{'s' if several else ''} {', '.join(str(fit.seed) for fit in record.training)}"
        fits = f", mean of {len(record.training)} fits" if several else ""
        said.append(
            f"by this suite on {one.source}, {one.percent} % of the labels: {records} records "
            f"({validation} for validation), {seeds}{fits}{_lower(one)}"
        )
    return "; ".join(said) or "came with its weights"


def lower_precision(records: Iterable[ResultRecord]) -> str:
    """Say how far lower precision has moved the scores of a model, on each cohort that it was used on."""
    return " ".join(
        f"{one_line(cohort_label(record.cohort))}, in {record.provenance.dtype}: {rounding.sentence}"
        for record in records
        if (rounding := record.provenance.rounding) is not None
    )


def _lower(learnt: Training | Pretraining) -> str:
    return "" if learnt.precision == "32-true" else f", in {learnt.precision}"


def trained_on(record: ResultRecord) -> str:
    """Cohorts that the weights have seen, by its card; people have none, and may have made labels."""
    card = record.model
    if card.trained_on == "undisclosed":
        return "undisclosed"
    if not card.trained_on:
        return "none of the cohorts"
    theirs = "its" if len(card.trained_on) == 1 else "their"
    part = f" (or had a part in {theirs} labels)" if record.protocol == PREDICTIONS else ""
    return ", ".join(card.trained_on) + part


def input_text(spec: InputSpec) -> str:
    """Return the input of a model in a few words."""
    long = {"first": "first window", "centre": "centre window", "windows": "mean over windows"}
    return (
        f"{plural(len(spec.leads), 'lead')} ({' '.join(spec.leads)}), {spec.sampling_rate:g} Hz, "
        f"{spec.seconds:g} s, {spec.unit}; longer records: {long[spec.long_records]}"
    )
