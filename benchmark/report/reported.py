"""What the authors of models report of them: figures of others, not run again here, never ranked."""

from __future__ import annotations

import csv
from functools import cache
from importlib.resources import files

from benchmark.report.tables import Table, TableCell, text_cell
from benchmark.report.text import UNDEFINED

REPORTED_WORDS = (
    "Figures that others have published of models by these names, as their sources print them. None was run "
    "again here: records, labels and averages are those of their authors, so they stand beside nothing on "
    "this page and take no part in a ranking."
)

TABLE = "published_results.csv"
"""Columns: model, setting, data, target, metric, value, low, high (95 %, empty where not given), source."""


@cache
def reported_table() -> Table:
    """One row per published figure, with its source."""
    text = (files("benchmark.report") / TABLE).read_text("utf-8")
    rows = tuple(_row(row) for row in csv.DictReader(text.splitlines()))
    return Table(
        "Reported elsewhere, not re-run",
        ("Model", "Setting", "Measured on", "Target", "Metric", "Reported value [interval]", "Source"),
        rows,
    )


def _row(row: dict[str, str]) -> tuple[TableCell, ...]:
    value = f"{row['value']} [{row['low']}, {row['high']}]" if row["low"] else row["value"] or UNDEFINED
    texts = [text_cell(row[name]) for name in ("model", "setting", "data", "target", "metric")]
    return (*texts, TableCell(value, (), "number", float(row["value"])), text_cell(row["source"]))
