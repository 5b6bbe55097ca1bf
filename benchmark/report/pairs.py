"""Every two entries of a board against each other, as plain numbers: what ``leadboard compare`` says."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from itertools import combinations
from typing import Any

from benchmark.metrics.comparison import holm, paired_difference
from benchmark.metrics.estimates import PairedDifference, nan_if_none, none_if_nan
from benchmark.records.resamples import name_of
from benchmark.report.across_cohorts import ResampledCell
from benchmark.report.board import Board, Entry, entry_of
from benchmark.report.differences import ComparedCells, compare_cells, pool_differences, shared_concepts


def paired_differences(board: Board) -> list[dict[str, Any]]:
    """Compare every two entries on every cohort that both have, from the saved resamples.

    Returns
    -------
    list of dict
        For each pair ``first`` and ``second`` (model, protocol); ``cohorts``: id -> ``concepts`` (how
        many), ``relations``, ``auroc`` (first minus second: value, low, high, p, and p after Holm over the
        cohorts of the pair) and ``why`` it is undefined, if it is; ``auprc`` the same, None where the two
        macro averages are not over the same concepts; ``refused``: id -> why the two cannot be
        compared there; ``lacking``: the same for want of resampled figures; ``pooled`` (value, low, high, p)
        over ``pooled_over``, the cohorts that are external to both.
    """
    cells: dict[Entry, dict[str, ResampledCell]] = {entry: {} for entry in board.entries}
    for cell in board.resampled_cells(board.records):
        cells[entry_of(cell.record)][cell.record.cohort.id] = cell
    lacking: dict[Entry, dict[str, str]] = {entry: {} for entry in board.entries}
    for record in board.records:
        if name_of(record) in board.without_resamples:
            why = f"{record.model.name}: {board.without_resamples[name_of(record)]}"
            lacking[entry_of(record)][record.cohort.id] = why
    found: dict[tuple[Entry, Entry], dict[str, _Compared]] = {pair: {} for pair in combinations(cells, 2)}
    for cohort in board.cohort_ids:  # one after the other: what was resampled of it is read once for all
        own = _with_means({entry: there[cohort] for entry, there in cells.items() if cohort in there})
        for one, two in combinations(own, 2):
            compared = compare_cells(own[one], own[two])
            auprc = None if isinstance(compared, str) else paired_auprc(own[one], own[two])
            found[one, two][cohort] = compared, auprc
    return [
        _pair(one, two, cells[one], cells[two], of_pair) | {"lacking": lacking[one] | lacking[two]}
        for (one, two), of_pair in found.items()
    ]


_Compared = tuple[ComparedCells | str, PairedDifference | None]
"""Macro AUROC and AUPRC of two models on one cohort."""


def _with_means(cells: Mapping[Entry, ResampledCell]) -> dict[Entry, ResampledCell]:
    """Have the means at hand over what each cell shares with any other."""
    return {
        entry: cell._replace(
            resampled=cell.resampled.with_means(
                [shared_concepts(cell, other) for other in cells.values()], "auroc"
            )
        )
        for entry, cell in cells.items()
    }


def _pair(
    one: Entry,
    two: Entry,
    first: Mapping[str, ResampledCell],
    second: Mapping[str, ResampledCell],
    compared: Mapping[str, _Compared],
) -> dict[str, Any]:
    of_both = {cohort: compared[cohort][0] for cohort in first if cohort in second}
    relations = {cohort: [side[cohort].record.relation for side in (first, second)] for cohort in of_both}
    found = pool_differences(of_both)
    adjusted = _adjusted([pair.difference for pair in found.pairs])
    auprc = [compared[pair.cohort][1] for pair in found.pairs]
    external = [pair.cohort for pair in found.pairs if set(relations[pair.cohort]) == {"external"}]
    pooled = found
    if len(external) < len(found.pairs):
        pooled = pool_differences({cohort: of_both[cohort] for cohort in external})
    return {
        "first": list(one),
        "second": list(two),
        "cohorts": {
            pair.cohort: {
                "concepts": pair.concepts,
                "relations": relations[pair.cohort],
                "auroc": _numbers(pair.difference, p),
                "why": pair.difference.reason,
                "auprc": other and _numbers(other, p_of_other),
            }
            for pair, p, other, p_of_other in zip(found.pairs, adjusted, auprc, _adjusted(auprc), strict=True)
        },
        "refused": dict(found.refused),
        "pooled": [
            *(pooled.pooled.value, pooled.pooled.low, pooled.pooled.high),
            none_if_nan(math.nan if pooled.pooled_p is None else pooled.pooled_p),
        ],
        "pooled_over": external,
    }


def paired_auprc(one: ResampledCell, two: ResampledCell) -> PairedDifference | None:
    """Macro AUPRC of one cell minus that of another; None where they are not over the same concepts.

    It was resampled as a macro average alone, so it cannot be taken over the concepts that both have.
    """
    if one.resampled.concepts != two.resampled.concepts:
        return None
    return paired_difference(*one.macro("auprc"), *two.macro("auprc"))


def _adjusted(differences: Sequence[PairedDifference | None]) -> list[float | None]:
    found = holm([math.nan if one is None else nan_if_none(one.p) for one in differences])
    return [none_if_nan(p) for p in found]


def _numbers(found: PairedDifference, adjusted: float | None) -> list[float | None]:
    return [found.value, found.low, found.high, found.p, adjusted]
