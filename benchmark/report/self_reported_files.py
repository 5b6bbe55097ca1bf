"""What is self-reported, for programs: one table as CSV, and everything as JSON."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from typing import Any

from benchmark.exchange.disclosure import Count, Figure
from benchmark.exchange.gathering import Source, Told
from benchmark.report.board_statistics import plain_numbers
from benchmark.report.export import csv_cell
from benchmark.report.self_reported_pool import PooledWith

CSV_COLUMNS = (
    "model", "protocol", "cohort", "concept", "metric", "value", "low", "high", "standard_error",
    "n", "positives", "minimum_count", "relation", "simulated", "source",
)  # fmt: skip


def told_csv(told: Sequence[Told]) -> str:
    """Self-reported estimates as CSV; what is not told is an empty cell."""
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(CSV_COLUMNS)
    for one in told:
        cell = one.cell
        parts: list[tuple[str, Any, Count, Count | None]] = [("macro", cell.macro, cell.records.scored, None)]
        parts += [(name, concept, concept.n, concept.positives) for name, concept in cell.concepts.items()]
        for concept_name, part, n, positives in parts:
            for metric in ("auroc", "auprc"):
                found: Figure | None = getattr(part, metric)
                numbers = ("value", "low", "high", "standard_error")
                names = (cell.model, cell.protocol, cell.cohort.id, concept_name, metric)
                values = [None if found is None else getattr(found, number) for number in numbers]
                about = (cell.minimum_count, cell.relation, cell.cohort.simulated, one.source)
                writer.writerow([csv_cell(value) for value in (*names, *values, n, positives, *about)])
    return file.getvalue()


def as_plain(told: Sequence[Told], pooled: Sequence[PooledWith], sources: Sequence[Source]) -> dict[str, Any]:
    """Everything that is self-reported, and the sources, as strict JSON."""
    return {
        "sources": [{"name": one.name, "kind": one.kind, "cells": one.cells} for one in sources],
        "self_reported": [
            {"source": one.source, "card": one.card.model_dump(mode="json")}
            | one.cell.model_dump(mode="json")
            for one in told
        ],
        "pooled_with_self_reported": [plain_numbers(one) for one in pooled],
    }
