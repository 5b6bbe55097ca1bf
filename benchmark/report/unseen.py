"""The strict test of zero-shot: a model that was never shown a concept, beside one that was."""

from __future__ import annotations

from collections.abc import Sequence

from benchmark.protocols.protocol import UNSEEN, ZERO_SHOT
from benchmark.records.record import ResultRecord
from benchmark.report.tables import Table, TableCell, cohort_label, count_cell, estimate_cell, text_cell

UNSEEN_WORDS = (
    "A twin of the model was pre-trained without any record that has, or may have, one of these conditions "
    "and without any sentence that names one, and was then asked for them in words. Only such an answer is "
    "zero-shot in the strict sense: the model itself has read these words beside the tracings."
)


def unseen_table(records: Sequence[ResultRecord]) -> Table | None:
    """One row per model, cohort and held-out concept; None where nothing was held out."""
    seen = {(r.model.name, r.cohort.id): r for r in records if r.protocol == ZERO_SHOT.name}
    rows = []
    for record in records:
        if record.protocol != UNSEEN.name:
            continue
        twin = seen.get((record.model.name, record.cohort.id))
        for concept, metrics in record.evaluation.concepts.items():
            if not metrics.n:
                continue
            shown = twin.evaluation.concepts.get(concept) if twin is not None else None
            rows.append(
                (
                    text_cell(record.model.name),
                    TableCell(cohort_label(record.cohort)),
                    TableCell(record.relation),
                    TableCell(concept),
                    count_cell(metrics.n),
                    count_cell(metrics.positives),
                    estimate_cell(metrics.auroc, muted=not metrics.eligible),
                    TableCell("–", kind="muted")
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
