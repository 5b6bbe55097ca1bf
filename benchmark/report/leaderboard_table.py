"""The leaderboard itself: its table, and the rules of the ranking in words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from benchmark.metrics.intervals import LEVEL
from benchmark.records.record import ResultRecord
from benchmark.report.board import Board, Standing
from benchmark.report.board_statistics import BoardStatistics
from benchmark.report.statistics_tables import signed_cell
from benchmark.report.tables import (
    DASH,
    Table,
    TableCell,
    board_caption,
    cohort_label,
    estimate_cell,
    number_cell,
    text_cell,
)
from benchmark.report.text import interval
from benchmark.text import one_line, some
from cohorts.counts import plural

SIMULATED = (
    "Simulated recordings: what is marked 'simulated' comes from synthetic hearts, not from patients. "
    "It shows that the software works and says nothing about any hospital."
)

GROUPS = (
    "The best model shares rank 1 with all whose difference from it is not significant (paired bootstrap of "
    "the mean, p values adjusted by Holm's method); the best of the others leads the next rank. Models that "
    "share a rank need not be equal."
)

MEANS = (
    "Resampled figures are missing, so ranks go by the means alone, and a difference in rank need not be a "
    "difference between models."
)


OF_CONTROLS = (
    "Which these are, the controls say: the suite fits them to every concept that its source teaches, so "
    "these are what source and cohort share, and no model changes that. "
)

NO_AUPRC_DRAWS = (
    "Some cells were measured by a version that kept the resampled AUPRC of the whole macro average alone "
    "({}), so ranks go by the means, and a difference in rank need not be a difference between models. Run "
    "these cells again to have ranks by paired bootstrap."
)

RANKED = "ranked by mean macro {} on external cohorts"
PUBLISHED_TASK = "published task, not ranked: macro {} on its test records"


def leaderboard_table(board: Board, found: BoardStatistics) -> Table:
    """One row per model and protocol: internal, external, and the gap between the two."""
    name = board.metric_name
    of_set = "" if board.within.concepts is None else f", within {one_line(board.within.concept_set)}"
    alone = "" if board.within.protocol is None else f", {one_line(board.within.protocol)} alone"
    rows = tuple(_standing_row(standing, board, found) for standing in board.standings)
    return Table(
        board_caption(board, (PUBLISHED_TASK if board.of_task else RANKED).format(name) + of_set + alone),
        (
            "Model",
            "Protocol",
            "Rank",
            f"External macro {name}, mean [interval]",
            "Cohorts",
            "Concepts",
            "Lowest external cohort",
            f"Internal macro {name}",
            "External gap in AUROC on the same concepts",
            "Not ranked because",
        ),
        rows,
    )


def _standing_row(standing: Standing, board: Board, found: BoardStatistics) -> tuple[TableCell, ...]:
    lowest, rank = board.lowest(standing), standing.rank
    return (
        text_cell(standing.entry.model),
        text_cell(standing.entry.protocol),
        DASH if rank is None else TableCell(str(rank), (), "number", rank),
        _mean_cell(standing),
        _share_cell(len(standing.cohorts), len(board.cohorts), "simulated" if board.simulated else ""),
        _share_cell(len(standing.concepts), len(board.concepts)),
        _macro_cell([lowest] if lowest else [], board),
        _macro_cell(standing.internal, board),
        _gap_cell(standing, found),
        text_cell(standing.why_unranked),
    )


def _share_cell(part: int, whole: int, what: str = "") -> TableCell:
    return TableCell(f"{part} of {whole} {what}".strip(), (), "number", part) if whole else DASH


def _macro_cell(records: Sequence[ResultRecord], board: Board) -> TableCell:
    """Macro average on each of a few cohorts, sorted by the first."""
    if not records:
        return DASH
    found = [board.macro_of(record) for record in records]
    parts = [f"{interval(one)} {cohort_label(r.cohort)}" for one, r in zip(found, records, strict=True)]
    notes = tuple(one_line(one.reason) for one in found if one.value is None and one.reason)
    return TableCell("; ".join(parts), notes, "number", found[0].value)


def _mean_cell(standing: Standing) -> TableCell:
    muted = standing.rank is None
    if standing.spread is None:
        notes = ("no interval: resampled figures are missing",) if standing.mean is not None else ()
        return number_cell(standing.mean, *notes, kind="muted" if muted else "number")
    return estimate_cell(standing.spread, muted=muted)


def _gap_cell(standing: Standing, found: BoardStatistics) -> TableCell:
    gap = found.mean_gap.get(standing.entry)
    if gap is None:
        lacking = standing.internal and standing.external
        return replace(DASH, notes=("resampled figures are missing",)) if lacking else DASH
    pairs = found.gaps[standing.entry]
    concepts = {concept for pair in pairs for concept in pair.concepts}
    cell = signed_cell(gap)
    if not pairs:
        return cell
    note = (
        f"mean over {plural(len(pairs), 'pair')} of an internal and an external cohort, on the concepts "
        f"eligible in both ({len(concepts)} distinct)"
    )
    return replace(cell, notes=(*cell.notes, note))


def ranking_rules(board: Board) -> list[str]:
    """Sentences below a leaderboard: who ranks, on what, and what the number is not."""
    kind = "simulated cohort" if board.simulated else "cohort"
    if board.of_task:
        return [
            "A published task has labels and folds of its own, as its authors made them. It is here to stand "
            "beside their table: nothing is ranked, and it takes no part in the ranking across hospitals.",
            f"Macro: the unweighted mean over the classes with at least {board.minimum} positives and "
            f"{board.minimum} negatives in the test fold; the authors' own average, over every class, is in "
            "the note of each row.",
        ]
    rules = [
        "Rank: by the mean of the macro average over the same external cohorts for all models. A cohort is "
        "external to a model that was not trained on it or on a release that shares recordings with it. "
        + _how_ranked(board),
        f"Macro: the unweighted mean over the concepts with at least {board.minimum} positives and "
        f"{board.minimum} negatives in the cohort, of the set '{one_line(board.within.concept_set)}'. "
        + (OF_CONTROLS if set(board.of_models) != set(board.cohorts) else "")
        + "A model that lacks some is not ranked within this set: its mean is over its own concepts and "
        "stands beside no other.",
        "External gap: AUROC on internal cohorts minus AUROC on external ones, over the concepts that are "
        "eligible in both; above 0 the model does worse in other hospitals.",
    ]
    if board.metric == "auprc":
        rules.insert(
            1,
            "AUPRC rises with prevalence: compare models within a cohort, not one cohort with another. The "
            "mean is over the same cohorts for all, so their order is fair; its size is not that of any one "
            "hospital.",
        )
    if board.cohorts:
        over = ", ".join(
            f"{one_line(c)} ({plural(len(board.reference[c]), 'concept')})" for c in board.cohorts
        )
        rules.append(f"This ranking is over {plural(len(board.cohorts), kind)}: {over}.")
    elif board.records:
        rules.append(f"Nothing is ranked: no {kind} is external to a model and has an eligible concept.")
    if board.of_models:
        where = ", ".join(map(one_line, board.of_models))
        rules.append(
            f"No control has a concept of this set in {where}: there it is of the concepts that more than "
            "half of the models have, and another model can change it. --concept and --cohort choose by name."
        )
    reasons: dict[str, list[str]] = {}
    for cohort, why in board.left_out.items():
        reasons.setdefault(why, []).append(one_line(cohort))
    rules += [f"Not in this ranking: {', '.join(cohorts)} ({why})." for why, cohorts in reasons.items()]
    return rules


def _how_ranked(board: Board) -> str:
    if board.by_groups:
        return GROUPS + _too_few_resamples(board)
    earlier = [
        f"{cell.record.model.name} on {cell.record.cohort.id}"
        for cell in board.resampled_cells(board.records)
        if cell.resampled.drawn_auprc is None and cell.record.cohort.id in board.cohorts
    ]
    if board.metric == "auroc" or not earlier:
        return MEANS
    return NO_AUPRC_DRAWS.format(some(earlier, 3))


def _too_few_resamples(board: Board) -> str:
    """Say so where the smallest p value that the resamples can give, adjusted, separates no two models."""
    ranked = sum(standing.rank is not None for standing in board.standings)
    drawn = min((r.evaluation.bootstrap.resamples for r in board.records), default=0)
    if ranked < 2 or 2 * (ranked - 1) / (drawn + 1) <= 1 - LEVEL:
        return ""
    least = round(2 * (ranked - 1) / (1 - LEVEL)) - 1
    return (
        f" With {drawn:,} resamples no p value is small enough to tell one of {ranked} models from the best: "
        f"all share rank 1. It takes --resamples {least:,} at least."
    )
