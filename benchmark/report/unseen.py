"""The honest test of zero-shot: a model that was never shown a concept, beside one that was."""

from __future__ import annotations

from collections.abc import Sequence

from benchmark.protocols.protocol import UNSEEN, ZERO_SHOT
from benchmark.records.record import ResultRecord
from benchmark.report.tables import Cell, Table, cohort_label, count_cell, estimate_cell, text_cell


def is_unseen(record: ResultRecord) -> bool:
    """Whether a cell answers for concepts that were kept from its model; such cells never rank."""
    return record.protocol == UNSEEN.name


def unseen_table(records: Sequence[ResultRecord]) -> Table | None:
    """One row a model, cohort and held-out concept; None where nothing was held out."""
    seen = {(r.model.name, r.cohort.id): r for r in records if r.protocol == ZERO_SHOT.name}
    rows = []
    for record in filter(is_unseen, records):
        twin = seen.get((record.model.name, record.cohort.id))
        for concept, metrics in record.evaluation.concepts.items():
            if not metrics.n:
                continue
            shown = twin.evaluation.concepts.get(concept) if twin is not None else None
            rows.append(
                (
                    text_cell(record.model.name),
                    Cell(cohort_label(record.cohort)),
                    Cell(record.relation),
                    Cell(concept),
                    count_cell(metrics.n),
                    count_cell(metrics.positives),
                    estimate_cell(metrics.auroc, muted=not metrics.eligible),
                    Cell("–", kind="muted")
                    if shown is None
                    else estimate_cell(shown.auroc, muted=not shown.eligible),
                )
            )
    if not rows:
        return None
    return Table(
        "Zero-shot on unseen conditions",
        (
            "Model",
            "Cohort",
            "Relation",
            "Concept",
            "n",
            "Positives",
            "AUROC, never shown in pre-training",
            "AUROC, shown in pre-training",
        ),
        tuple(rows),
    )
