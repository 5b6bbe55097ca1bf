"""The leaderboard for programs: one long table as CSV, and everything as JSON."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from functools import lru_cache
from types import MappingProxyType, NoneType
from typing import Any

from pydantic_core import to_json

from benchmark.records.long_table import COLUMNS, rows_of
from benchmark.records.record import ResultRecord
from benchmark.records.run_file import RunFile
from benchmark.report.board import Board, Standing
from benchmark.report.board_statistics import BoardStatistics, plain_numbers
from benchmark.report.facts import quarantined
from benchmark.text import harmless
from cohorts.catalogue import is_private

AS_IT_IS = {float, int, NoneType}
"""What is most of a table, and looks the same to a spreadsheet as to us."""


def as_csv(records: Sequence[ResultRecord]) -> str:
    """All estimates as CSV: full precision, an undefined value is an empty cell."""
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(COLUMNS)
    for record in records:
        for row in rows_of(record):
            writer.writerow([one if one.__class__ in AS_IT_IS else csv_cell(one) for one in row.values()])
    return file.getvalue()


def csv_cell(value: str | float | bool | None) -> str | float | None:
    """Make a cell safe to open in a spreadsheet: text never starts a formula, numbers stay numbers.

    Text that begins with ``= + - @``, a tab or a line break gets a leading apostrophe (OWASP, CSV Injection).
    Nothing in it gives orders to a terminal. None is an empty cell, a truth value ``true`` or ``false``.
    """
    if isinstance(value, bool):
        return "true" if value else "false"
    if not isinstance(value, str):
        return value
    return _safe_text(value)


@lru_cache(maxsize=4096)
def _safe_text(value: str) -> str:
    text = harmless(value)
    return f"'{text}" if text.startswith(("=", "+", "-", "@", "\t", "\r", "\n")) else text


def as_json(
    run: RunFile,
    records: Sequence[ResultRecord],
    boards: Sequence[Board],
    others: Sequence[Board],
    found: Sequence[BoardStatistics],
    told: Mapping[str, Any] = MappingProxyType({}),
) -> str:
    """Return rankings, cells and estimates as strict JSON: an undefined value is null.

    Parameters
    ----------
    told
        What is added of a joined board: its sources, and what is self-reported.
    """
    content = {
        "schema_version": 4,
        "run": run.name,
        "simulated": any(record.cohort.simulated for record in records),
        "rankings": [
            _ranking(board, one) | {"statistics": plain_numbers(one)}
            for board, one in zip(boards, found, strict=True)
        ],
        "rankings_by_the_other_metric": [
            _ranking(board, one) for board, one in zip(others, found, strict=True)
        ],
        "cells": [_cell(record) for record in records],
        "estimates": (_Text(to_json(row)) for record in records for row in rows_of(record)),
        "without_result": [cell.model_dump() for cell in run.cells if cell.status != "done"],
        "absent": [absent.model_dump() for absent in run.absent],
        "absent_models": [absent.model_dump() for absent in run.absent_models],
        "quarantined": [
            {
                "cohort": cohort,
                "simulated": simulated,
                "reason": reason,
                "records": len(ids),
                "record_ids": [] if is_private(cohort) else ids,
            }
            for (cohort, simulated), reasons in quarantined(records).items()
            for reason, ids in reasons.items()
        ],
        "warnings": list(run.warnings),
        "environment": run.environment,
        **told,
    }
    return "".join(_written(content))


class _Text(bytes):
    """What is JSON already: of two hundred thousand numbers, none of which can be undefined but as None."""


def _written(content: Mapping[str, Any]) -> Iterator[str]:
    """Give each item of a list a line of its own: json's own indentation takes ten times as long."""
    before = "{\n"
    for name, value in content.items():
        yield f"{before}{_json(name)}: "
        before = ",\n"
        if not isinstance(value, list | Iterator):
            yield _json(value)
            continue
        ahead = "[\n "
        for item in value:
            yield ahead
            yield str(item, "utf-8") if isinstance(item, _Text) else _json(item)
            ahead = ",\n "
        yield "[]" if ahead.startswith("[") else "\n]"
    yield "\n}\n"


_json = json.JSONEncoder(ensure_ascii=False, allow_nan=False).encode


def _ranking(board: Board, found: BoardStatistics) -> dict[str, Any]:
    return {
        "simulated": board.simulated,
        "metric": board.metric,
        "concept_set": board.within.concept_set,
        "cohort_set": board.within.cohort_set,
        "protocol": board.within.protocol,
        "cohorts": {cohort: board.reference[cohort] for cohort in board.cohorts},
        "cohorts_left_out": dict(board.left_out),
        "reference_from_models": board.of_models,
        "ranked_by": "groups without a significant difference" if board.by_groups else "means",
        "rows": [_row(board, standing, found) for standing in board.standings],
        "without_resamples": [
            {"model": model, "protocol": protocol, "cohort": cohort, "reason": why}
            for (model, protocol, cohort), why in board.without_resamples.items()
        ],
    }


def _row(board: Board, standing: Standing, found: BoardStatistics) -> dict[str, Any]:
    lowest, spread, gap = board.lowest(standing), standing.spread, found.mean_gap.get(standing.entry)
    return {
        "model": standing.entry.model,
        "protocol": standing.entry.protocol,
        "rank": standing.rank,
        f"external_macro_{standing.metric}_mean": standing.mean,
        f"external_macro_{standing.metric}_interval": spread and plain_numbers((spread.low, spread.high)),
        "cohorts": standing.cohorts,
        "concepts": standing.concepts,
        "lowest_external_cohort": lowest and lowest.cohort.id,
        "internal_cohorts": [record.cohort.id for record in standing.internal],
        "external_gap": gap and plain_numbers(gap),
        "why_unranked": standing.why_unranked or None,
    }


def _cell(record: ResultRecord) -> dict[str, Any]:
    """Return everything about a cell but its estimates and the time it took."""
    left_out = {"schema_version", "evaluation", "statistics", "records", "provenance"}
    return record.model_dump(mode="json", exclude=left_out) | {
        "records": record.records.model_dump(mode="json", exclude={"quarantined"})
        | {"quarantined": record.records.unusable},
        "macro_concepts": record.evaluation.macro.concepts,
        "statistics": _statistics(record),
        "notes": record.evaluation.notes,
        "provenance": record.provenance.model_dump(
            mode="json", exclude={"seconds", "records_per_second", "thresholds"}
        ),
    }


def _statistics(record: ResultRecord) -> dict[str, Any]:
    """Return the statistics of a cell as a whole; those of its concepts are in the record."""
    found = record.statistics
    return {
        "macro_auprc_at_reference": asdict(found.macro_auprc_at_reference),
        "reference_prevalence": found.reference_prevalence,
        "calibration": found.calibration and found.calibration.model_dump(exclude={"concepts"}),
        "why_no_calibration": found.why_no_calibration,
        "thresholds_from": record.provenance.thresholds.source,
        "why_no_calls": found.why_no_calls,
        "subgroups": {
            name: {
                "common": grouping.common,
                "groups": {group: asdict(one.macro) for group, one in grouping.groups.items()},
                "gap": grouping.gap and grouping.gap.model_dump(),
            }
            for name, grouping in found.subgroups.items()
        },
    }
