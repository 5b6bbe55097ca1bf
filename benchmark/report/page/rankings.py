"""Rankings as the page has them: real or simulated cohorts, by either metric, within each pair of sets."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from benchmark.metrics.estimates import PooledEstimate
from benchmark.records.record import ResultRecord
from benchmark.records.resamples import name_of
from benchmark.report.board import Board, Entry, Standing
from benchmark.report.board_statistics import BoardStatistics
from benchmark.report.leaderboard_table import ranking_rules
from benchmark.report.page.encoding import Number, triple, units
from benchmark.report.page.places import Places
from benchmark.report.sets import SetBoard
from benchmark.text import one_line


def board_data(one: SetBoard, places: Places) -> dict[str, Any]:
    """Give a ranking: what it is over, its rows and how it is made; the last of each protocol alone too."""
    board = one.board

    def place(cohort: str) -> int | None:
        return places.cohorts.get((cohort, board.simulated))

    chosen = board.within.cohorts
    return {
        "simulated": board.simulated,
        "metric": board.metric,
        "task": board.of_task,
        "cohorts": [place(cohort) for cohort in board.cohorts],
        "chosen": None if chosen is None else [place(c) for c in chosen if place(c) is not None],
        "concepts": places.concept_list(board.concepts),
        **_ranked_by(board, places),
        "alone": {one_line(name): _alone(alone, places) for name, alone in one.of_protocol.items()},
        "rows": [_row(standing, one, places) for standing in board.standings],
    }


def _ranked_by(board: Board, places: Places) -> dict[str, Any]:
    return {"by_groups": board.by_groups, "rules": places.texts.places(ranking_rules(board))}


def _alone(board: Board, places: Places) -> dict[str, Any]:
    return {**_ranked_by(board, places), "entries": [places.entries[one.entry] for one in board.standings]}


def _row(standing: Standing, one: SetBoard, places: Places) -> dict[str, Any]:
    """Give a row: ``alone`` is its rank among those of its protocol, None where there is but one."""
    mean = triple(standing.spread) if standing.spread else [units(standing.mean), None, None]
    ahead = one.next_hospital.get(standing.entry)
    return {
        "entry": places.entries[standing.entry],
        "rank": standing.rank,
        "alone": _rank_alone(standing.entry, one),
        "mean": mean,
        "cohorts": len(standing.cohorts),
        "concepts": len(standing.concepts),
        "next": None if ahead is None else pooled_numbers(ahead),
        "why": one_line(standing.why_unranked),
    }


def _rank_alone(entry: Entry, one: SetBoard) -> int | None:
    board = one.of_protocol.get(entry.protocol)
    return None if board is None else next(s.rank for s in board.standings if s.entry == entry)


def pooled_data(board: Board, found: BoardStatistics, places: Places) -> dict[str, Any]:
    """For each entry the AUROC of the next hospital: its macro average, and each concept that was pooled."""
    return {
        "simulated": board.simulated,
        "entries": {
            str(places.entries[entry]): {
                "macro": pooled_numbers(ahead.macro),
                "cohorts": len(ahead.cohorts),
                "concepts": _of_concepts(ahead.concepts, places.concepts),
            }
            for entry, ahead in found.next_hospital.items()
        },
    }


def _of_concepts(concepts: Mapping[str, PooledEstimate], places: Mapping[str, int]) -> dict[str, Any]:
    return {str(places[c]): pooled_numbers(one) for c, one in concepts.items() if c in places}


def pooled_numbers(one: PooledEstimate) -> list[Number | str]:
    """Value, low, high, both ends of the prediction interval, I² in tenths of a percent, cohorts; why not."""
    return [
        *triple(one),
        units(one.prediction_low),
        units(one.prediction_high),
        None if one.i2 is None else round(10 * one.i2),
        one.cohorts,
        *([one.reason] if one.reason else []),
    ]


def set_data(name: str, by_set: Sequence[SetBoard], places: Places) -> dict[str, Any]:
    """Name of a set, and which of the page's concepts are in it."""
    within = next(one.board.within for one in by_set if one.board.within.concept_set == name)
    return {"name": name, "concepts": [at for concept, at in places.concepts.items() if concept in within]}


def macro_data(record: ResultRecord, one: SetBoard, places: Places) -> list[Number]:
    """Macro average of a cell within a set: value, low, high, and the list of concepts that it is over."""
    estimate = one.macros[name_of(record)]
    over = one.board.concepts_of(record) if estimate.value is not None else ()
    return [*triple(estimate), places.concept_list(over)]
