"""What the view of a model shows beside AUROC and AUPRC: curves, calls, calibration, subgroups, gaps.

In the places and units of `benchmark.report.page.data`. Whole concepts are given, those of most cells first,
until there is no room for another: a board of thousands of cells stays one file that people can send.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from itertools import pairwise
from typing import Any

from benchmark.metrics.cell.calibration import ConceptCalibration
from benchmark.metrics.cell.operating_points import Called
from benchmark.metrics.cell.subgroups import Grouping
from benchmark.metrics.names import METRICS
from benchmark.protocols.protocol import PROTOCOLS
from benchmark.records.record import ResultRecord
from benchmark.report.board import Board, Entry, entry_of
from benchmark.report.board_statistics import BoardStatistics
from benchmark.report.fits import between_fits
from benchmark.report.measured_curves import ConceptCurve, MeasuredCurves
from benchmark.report.page.columns import ESTIMATE, ITSELF, in_columns
from benchmark.report.page.encoding import deflated, ends, triple, units
from benchmark.text import one_line
from cohorts.errors import LeadboardError

MOST = 4_900_000
"""Bytes of the page."""

REST, OF_CONCEPT = 400_000, 32
"""About what the page takes without details, and with each concept of each cell, its numbers deflated."""

CURVE = 220
"""Deflated characters of a curve with its bins, on average."""

SOME = 40
"""Cells of a concept that are looked at to tell how much room it takes."""

NEAR = {
    "calls": (*(ITSELF,) * 3, ITSELF, 3, 3, ITSELF, 6, 6),
    "calibration": (*ESTIMATE, ITSELF, ITSELF, 4, 4, ITSELF, 7, 7, ITSELF, ITSELF),
    "groups": (*ESTIMATE, ITSELF, ITSELF),
    "curve": (ITSELF,) * 3,
    "errors": (ITSELF,) * 2,
    "bins": (ITSELF,) * 3,
}
"""How each part of the details is folded into columns."""

OF_UNITS = {
    "calls": range(3, 9),
    "calibration": range(12),
    "groups": range(3),
    "errors": range(2),
    "bins": (2,),
}
"""Columns of values that are written in units."""


def concepts_with_room(
    records: Sequence[ResultRecord], curves: Collection[str], most: int = MOST
) -> list[str]:
    """Choose the concepts of which there is probably room for the details: those of most cells first.

    Parameters
    ----------
    curves
        Cohorts whose cells have curves, which are not made yet.
    most
        Bytes of the page.
    """
    cells = _cells(records)
    left = most - REST - OF_CONCEPT * sum(len(record.evaluation.concepts) for record in records)
    chosen: list[str] = []
    for concept in sorted(cells, key=lambda c: (-len(cells[c]), -_positives(records, c, cells[c]), c)):
        drawn = sum(records[at].cohort.id in curves for at in cells[concept])
        left -= _room_for(records, concept, cells[concept]) + CURVE * drawn
        if left < 0 and chosen:
            break
        chosen.append(concept)
    return chosen


def _cells(records: Sequence[ResultRecord]) -> dict[str, list[int]]:
    """Places of the cells in which a concept is eligible."""
    cells: dict[str, list[int]] = {}
    for at, record in enumerate(records):
        for concept in record.evaluation.macro.concepts:
            cells.setdefault(concept, []).append(at)
    return cells


def _room_for(records: Sequence[ResultRecord], concept: str, cells: Sequence[int]) -> int:
    """Characters that a concept takes without curves, told from some of its cells."""
    some = cells[:: -(-len(cells) // SOME)]
    one = in_columns({str(at): _of_concept(records[at], concept) for at in some}, NEAR, OF_UNITS)
    return len(deflated(json.dumps(one))) * len(cells) // len(some)


def details(
    records: Sequence[ResultRecord], concepts: Mapping[str, int], curves: MeasuredCurves
) -> dict[str, Any]:
    """Give the details of every cell, and of the concepts that were chosen.

    Parameters
    ----------
    records
        In the order of the cells of the page.
    concepts
        Place of each concept.
    curves
        Of the concepts for which there is room.

    Returns
    -------
    dict
        ``cells``: for each cell ``calibration``, ``subgroups``, what lies ``between`` its fits by metric
        (lowest, highest, standard deviation) and why something is not there; ``concepts``: place of a concept
        -> details of cells, `in_columns`; ``left_out``: places of concepts for which there was no room;
        ``no_curves``: why -> places of cells.
    """
    cells = _cells(records)
    given = {
        concept: {str(at): _of_concept(records[at], concept) for at in cells[concept]}
        for concept in curves.concepts
        if concept in cells
    }
    no_curves: dict[str, list[int]] = {}
    for at, record in enumerate(records):
        try:
            for concept, curve in curves.of(record).items():
                given[concept][str(at)] |= _curve(curve)
        except LeadboardError as error:
            no_curves.setdefault(one_line(str(error).rstrip(".")), []).append(at)
    return {
        "cells": [_of_cell(record) for record in records],
        "concepts": {
            str(concepts[concept]): in_columns(one, NEAR, OF_UNITS) for concept, one in given.items()
        },
        "left_out": [concepts[concept] for concept in cells if concept not in given],
        "no_curves": no_curves,
    }


def leave_out_last(found: dict[str, Any]) -> dict[str, Any]:
    """Leave out the last concept of `details`, where the page became too large, and give what it was."""
    concepts: dict[str, dict[str, Any]] = found["concepts"]
    last, content = concepts.popitem()
    found["left_out"] = sorted([*found["left_out"], int(last)])
    return content


def _positives(records: Sequence[ResultRecord], concept: str, cells: Iterable[int]) -> int:
    return max(records[at].evaluation.concepts[concept].positives for at in cells)


def _of_concept(record: ResultRecord, concept: str) -> dict[str, Any]:
    """Calls at each threshold, calibration, and AUROC, n and positives in each subgroup."""
    statistics = record.statistics
    calls = {one_line(rule): _called(one) for rule, one in statistics.calls.get(concept, {}).items()}
    calibrated = statistics.calibration and statistics.calibration.concepts.get(concept)
    groups = {
        one_line(name): {
            one_line(group): [*ends(found.concepts[concept].auroc), n, found.concepts[concept].positives]
            for group, found in grouping.groups.items()
            if concept in found.concepts and (n := found.concepts[concept].n)
        }
        for name, grouping in statistics.subgroups.items()
    }
    found: dict[str, Any] = {
        "calls": calls,
        "calibration": calibrated and _calibrated(calibrated),
        "groups": {name: sizes for name, sizes in groups.items() if sizes},
    }
    return {name: value for name, value in found.items() if value}


def _called(one: Called) -> list[Any]:
    """Threshold, true and false positives; value, low and high of sensitivity and of specificity."""
    return [float(f"{one.threshold:.4g}"), one.tp, one.fp, *ends(one.sensitivity), *ends(one.specificity)]


def _calibrated(one: ConceptCalibration) -> list[Any]:
    """Brier, mean probability, slope, intercept, both errors; three numbers where there is an interval."""
    return [
        *ends(one.brier.score),
        one.mean_probability,
        *ends(one.slope),
        *ends(one.intercept),
        one.ece_equal_width,
        one.ece_equal_mass,
    ]


def _curve(found: ConceptCurve) -> dict[str, Any]:
    """Points as steps: threshold, and how many more positives and negatives are called than at the last."""
    curve = found.curve
    steps: list[float | int] = []
    for threshold, *counts in zip(curve.thresholds, _steps(curve.tp), _steps(curve.fp), strict=True):
        steps += [threshold, *counts]
    made: dict[str, Any] = {"curve": steps, "errors": [curve.roc_error, curve.pr_error]}
    if found.bins:
        made["bins"] = [n for one in found.bins for n in (one.n, one.positives, one.predicted)]
    return made


def _steps(counts: Sequence[int]) -> list[int]:
    return [after - before for before, after in pairwise((0, *counts))]


def _of_cell(record: ResultRecord) -> dict[str, Any]:
    statistics, whole = record.statistics, record.statistics.calibration
    found: dict[str, Any] = {
        "fits": statistics.fits,
        "why_no_calls": one_line(statistics.why_no_calls or ""),
        "why_no_calibration": one_line(statistics.why_no_calibration or ""),
        "subgroups": {one_line(name): _grouping(one) for name, one in statistics.subgroups.items()},
    }
    between = {metric: between_fits(record, metric) for metric in METRICS}
    found["between"] = {metric: list(map(units, one)) for metric, one in between.items() if one}
    if whole is not None:
        errors = units(whole.ece_equal_width), units(whole.ece_equal_mass)
        middle = units(whole.slope), units(whole.intercept)
        found["calibration"] = [*triple(whole.brier), *middle, *errors, len(whole.concepts)]
    return {name: value for name, value in found.items() if value}


def _grouping(one: Grouping) -> dict[str, Any]:
    """Records and macro AUROC of each group, how many concepts this is over, and the largest gap."""
    gap = one.gap and [*triple(one.gap.difference), one_line(one.gap.highest), one_line(one.gap.lowest)]
    return {
        "common": len(one.common),
        "groups": [[one_line(name), g.records, *triple(g.macro)] for name, g in one.groups.items()],
        "gap": gap,
    }


def label_shares(boards: Sequence[Board]) -> dict[Entry, list[Any]]:
    """Kind of protocol, and percentage of the source's labels that it gives, of each entry that says so."""
    found: dict[Entry, list[Any]] = {}
    for board in boards:
        for record in board.records:
            protocol = PROTOCOLS.get(record.protocol)
            if protocol is None or protocol.unseen or (protocol.kind == "as-is" and not record.training):
                continue
            share = 0 if protocol.kind == "zero-shot" else protocol.percent
            found[entry_of(record)] = [protocol.kind, share]
    return found


def gaps_of(found: BoardStatistics, cohorts: Mapping[str, int]) -> dict[Entry, dict[str, Any]]:
    """Mean gap of each entry from its own hospitals to others, and that of every two cohorts."""
    return {
        entry: {
            "mean": triple(found.mean_gap[entry]),
            "pairs": [
                [
                    *(cohorts[one.internal], cohorts[one.external], len(one.concepts)),
                    *(units(one.internal_auroc), units(one.external_auroc)),
                    *triple(one.gap),
                ]
                for one in pairs
            ],
        }
        for entry, pairs in found.gaps.items()
        if pairs
    }
