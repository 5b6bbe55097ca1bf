"""Who ranks, on what, and who does not."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmark.metrics.cell.evaluation import Resampled
from benchmark.records.measuring import PREDICTIONS
from benchmark.records.record import ResultRecord
from benchmark.records.resamples import name_of
from benchmark.report.board import Board
from benchmark.report.ranking import make_boards
from benchmark.report.standard import common_cohorts
from tests.benchmark.report.report_factory import concept, estimate, planned, record, run_file


def board_of(records: list[ResultRecord], *unfinished: object) -> Board:
    [board] = make_boards(run_file(records, unfinished), records)  # type: ignore[arg-type]
    return board


def ranks(board: Board) -> dict[str, int | None]:
    return {standing.entry.model: standing.rank for standing in board.standings}


def why(board: Board, model: str) -> str:
    return next(s.why_unranked for s in board.standings if s.entry.model == model)


def test_rank_is_by_mean_macro_auroc_over_external_cohorts() -> None:
    board = board_of(
        [
            record("low", "ptb-xl", {"AF": 0.99}, relation="internal"),
            record("low", "georgia", {"AF": 0.9, "LBBB": 0.8}),
            record("low", "ningbo", {"AF": 0.6}),
            record("high", "ptb-xl", {"AF": 0.55}, relation="internal"),
            record("high", "georgia", {"AF": 0.8, "LBBB": 0.7}),
            record("high", "ningbo", {"AF": 0.9}),
        ]
    )
    assert ranks(board) == {"high": 1, "low": 2}
    # georgia 0.75 and ningbo 0.90; georgia 0.85 and ningbo 0.60: the internal cohort does not count
    assert [s.mean for s in board.standings] == pytest.approx([0.825, 0.725])
    assert board.cohorts == ("georgia", "ningbo")
    assert board.concepts == ("AF", "LBBB")


def test_equal_means_share_a_rank() -> None:
    board = board_of(
        [record(name, aurocs={"AF": value}) for name, value in [("a", 0.7), ("b", 0.7), ("c", 0.6)]]
    )
    assert ranks(board) == {"a": 1, "b": 1, "c": 3}


CONTROL = {"control_for": "any"}


def test_model_that_lacks_a_concept_of_the_controls_is_not_ranked() -> None:
    board = board_of(
        [
            record("whole", aurocs={"AF": 0.7, "LBBB": 0.7}),
            record("part", aurocs={"AF": 0.99}),
            record("chance", aurocs={"AF": 0.5, "LBBB": 0.5}, card=CONTROL),
        ]
    )
    assert ranks(board) == {"whole": 1, "chance": 2, "part": None}
    assert [s.mean for s in board.standings] == pytest.approx([0.7, 0.5, 0.99])
    assert why(board, "part") == "1 of 2 concepts (without LBBB)"


def test_ineligible_concept_is_not_asked_of_others() -> None:
    rare = concept(0.9, positives=9)
    board = board_of([record("whole", aurocs={"AF": 0.7, "WPW": rare}), record("part", aurocs={"AF": 0.8})])
    assert ranks(board) == {"part": 1, "whole": 2}
    assert board.reference == {"georgia": ("AF",)}


def test_internal_cells_set_no_standard_for_external_ones() -> None:
    board = board_of(
        [
            record("a", "ptb-xl", {"AF": 0.9, "NORM": 0.9}, relation="internal"),
            record("a", "georgia", {"AF": 0.8}),
            record("b", "georgia", {"AF": 0.7}),
        ]
    )
    assert ranks(board) == {"a": 1, "b": 2}


def test_cohort_without_an_eligible_concept_says_so() -> None:
    few = {"AF": concept(0.9, positives=3)}
    board = board_of([record("a", "incart", few), record("a", "georgia", {"AF": 0.8})])
    assert board.cohorts == ("georgia",)
    assert (
        board.left_out["incart"] == "too few positives: no concept has at least 10 positives and 10 negatives"
    )
    assert ranks(board) == {"a": 1}


def test_undefined_is_never_zero() -> None:
    board = board_of([record("a", aurocs={"AF": None, "LBBB": None})])
    [standing] = board.standings
    assert standing.mean is None
    assert standing.rank is None
    assert board.lowest(standing) is None


def test_models_are_compared_on_the_same_cohorts() -> None:
    """A model that never saw PTB-XL must not be helped or harmed by its score there."""
    own = [record("trained", "ptb-xl", {"AF": 0.99}, relation="internal")]
    own += [record("trained", c, {"AF": 0.8}) for c in ("georgia", "ningbo")]
    other = [record("new", "ptb-xl", {"AF": 0.99})] + [
        record("new", c, {"AF": 0.7}) for c in ("georgia", "ningbo")
    ]
    board = board_of(own + other)
    assert board.cohorts == ("georgia", "ningbo")
    assert ranks(board) == {"trained": 1, "new": 2}
    assert board.left_out == {"ptb-xl": "not external to all models that are compared"}


def test_one_model_that_has_seen_most_cohorts_does_not_empty_the_ranking() -> None:
    cohorts = ("georgia", "ningbo", "incart")
    records = [record(m, c, {"AF": 0.8}) for m in ("a", "b", "c") for c in cohorts]
    records += [record("all", c, {"AF": 0.9}, relation="internal") for c in cohorts[:2]]
    records += [record("all", "incart", {"AF": 0.9})]
    board = board_of(records)
    assert set(board.cohorts) == set(cohorts)
    assert ranks(board) == {"a": 1, "b": 1, "c": 1, "all": None}
    assert why(board, "all") == "trained on georgia; trained on ningbo"
    assert board.standings[-1].cohorts == ("incart",)


def test_nobody_says_of_people_why_they_have_no_rank_that_they_were_trained() -> None:
    def handed_in(name: str, cohort: str = "code-test", **facts: Any) -> ResultRecord:
        return record(name, cohort, protocol=PREDICTIONS, **facts)

    records = [handed_in(f"network{at}", name) for at in range(2) for name in ("code-test", "georgia")]
    for name, relation in (("cardiologist", "internal"), ("student", "unknown")):
        records += [handed_in(name, relation=relation), handed_in(name, "georgia")]
    board = board_of([*records, handed_in("nobody", relation="unknown")])
    assert why(board, "cardiologist") == "learnt from code-test, or had a part in its labels"
    assert why(board, "student") == "may have learnt from code-test, or had a part in its labels"
    assert why(board, "nobody") == "what it learnt from is undisclosed"
    assert not any("train" in standing.why_unranked for standing in board.standings)


def test_failed_cell_keeps_a_model_out_of_the_rank_but_not_the_cohort() -> None:
    records = [record("a", c, {"AF": 0.8}) for c in ("georgia", "ningbo")] + [
        record("b", "ningbo", {"AF": 0.9})
    ]
    board = board_of(records, planned("b", "georgia", reason="out of memory"))
    assert board.cohorts == ("georgia", "ningbo")
    assert ranks(board) == {"a": 1, "b": None}
    assert why(board, "b") == "no macro AUROC on georgia"


def test_undisclosed_training_data_never_ranks() -> None:
    board = board_of([record("a"), record("b", relation="unknown", aurocs={"AF": 1.0, "LBBB": 1.0})])
    assert ranks(board) == {"a": 1, "b": None}
    assert why(board, "b") == "training data undisclosed"


def test_model_without_a_finished_cell_is_listed() -> None:
    board = board_of([record("a")], planned("b", "georgia"))
    assert ranks(board) == {"a": 1, "b": None}
    assert why(board, "b") == "no finished cell"


def test_only_internal_cells() -> None:
    board = board_of([record("a", "ptb-xl", relation="internal")])
    assert board.cohorts == ()
    assert why(board, "a") == "no external cohort to rank on"


def test_no_finished_cell_at_all() -> None:
    board = board_of([], planned("a", "georgia"), planned("b", "georgia", status="planned"))
    assert ranks(board) == {"a": None, "b": None}
    assert make_boards(run_file([]), [])[0].standings == ()


@pytest.mark.parametrize(
    "change", [{"fingerprint": "other"}, {"ontology": {"version": "1", "hash": "other"}}]
)
def test_cells_measured_on_different_data_are_not_compared(change: dict[str, object]) -> None:
    board = board_of([record("a"), record("b", **change)])  # type: ignore[arg-type]
    assert board.cohorts == ()
    assert "different records or labels" in board.left_out["georgia"]
    assert ranks(board) == {"a": None, "b": None}


def test_simulated_and_real_cohorts_are_ranked_apart() -> None:
    records = [
        record("a", "georgia", {"AF": 0.7}),
        record("b", "georgia", {"AF": 0.8}),
        record("a", "sim-georgia", {"AF": 1.0}, simulated=True),
        record("b", "sim-georgia", {"AF": 0.6}, simulated=True),
    ]
    real, simulated = make_boards(run_file(records), records)
    assert not real.simulated
    assert simulated.simulated
    assert ranks(real) == {"b": 1, "a": 2}
    assert ranks(simulated) == {"a": 1, "b": 2}
    assert [s.mean for s in real.standings] == pytest.approx([0.8, 0.7])


def test_one_cohort_id_real_for_one_model_and_simulated_for_another() -> None:
    records = [record("a", "ptb-xl", {"AF": 0.7}), record("b", "ptb-xl", {"AF": 0.9}, simulated=True)]
    real, simulated = make_boards(run_file(records), records)
    assert ranks(real)["a"] == 1
    assert ranks(simulated)["b"] == 1
    assert not any(s.rank == 1 for s in real.standings if s.entry.model == "b")


def test_protocols_of_a_model_are_ranked_one_by_one() -> None:
    board = board_of([record("a"), record("a", protocol="linear_probe", aurocs={"AF": 1.0, "LBBB": 1.0})])
    assert [(s.entry.protocol, s.rank) for s in board.standings] == [("linear_probe", 1), ("as_is", 2)]


def test_lowest_external_cohort() -> None:
    home = record("a", "ptb-xl", {"AF": 0.3}, relation="internal")
    georgia = record("a", "georgia", {"AF": 0.7, "LBBB": 0.8, "SB": 0.2})
    board = board_of([home, georgia, record("a", "ningbo", {"LBBB": 0.7})])
    lowest = board.lowest(board.standings[0])
    assert lowest is not None
    assert lowest.cohort.id == "georgia"  # (0.7 + 0.8 + 0.2) / 3 = 0.567, below 0.7


@given(st.lists(st.frozensets(st.sampled_from("abcde")), max_size=6))
def test_common_cohorts_are_external_to_someone_and_independent_of_order(sets: list[frozenset[str]]) -> None:
    chosen = common_cohorts(sets)
    assert chosen == common_cohorts(reversed(sets))
    assert bool(chosen) == any(sets)
    assert not chosen or any(chosen <= cohorts for cohorts in sets)


def test_predictions_that_lack_records_unrank_themselves_and_nobody_else() -> None:
    whole = [record("a", aurocs={"AF": 0.8}), record("b", aurocs={"AF": 0.7})]
    counts = whole[0].records.model_copy(update={"scored": 35, "unselected": 65})
    few = record("c", aurocs={"AF": 0.9}).model_copy(update={"records": counts})
    board = board_of([*whole, few])
    assert ranks(board) == {"a": 1, "b": 2, "c": None}
    assert why(board, "c") == "predictions for 35 of 100 records of georgia"


def test_rows_stand_in_the_order_of_their_ranks() -> None:
    means = {"best": 0.9, "second": 0.54, "steady": 0.5, "wide": 0.45}
    records = [record(name, aurocs={"AF": value}) for name, value in means.items()]
    noise = np.random.default_rng(0).normal(0, 1, (500, 4)) * [0.001, 0.001, 0.001, 0.1]
    draws = {}
    for at, one in enumerate(records):
        values = means[one.model.name] + noise[:, at]
        draws[name_of(one)] = Resampled(values, values, ("AF",), values[:, None].astype(np.float32))
    [board] = make_boards(run_file(records), records, draws)
    found = [(standing.entry.model, standing.rank) for standing in board.standings]
    assert found == [("best", 1), ("second", 2), ("wide", 2), ("steady", 4)]


def test_ranks_by_auprc_are_of_auprc_alone() -> None:
    def cell(model: str, cohort: str, auroc: float, auprc: float) -> ResultRecord:
        metrics = concept(auroc).model_copy(update={"auprc": estimate(auprc)})
        return record(model, cohort, {"AF": metrics})

    records = [
        cell("sharp", "georgia", 0.80, 0.60),
        cell("sharp", "ningbo", 0.70, 0.20),
        cell("broad", "georgia", 0.90, 0.50),
        cell("broad", "ningbo", 0.85, 0.10),
    ]
    noise = np.random.default_rng(0).normal(0, 0.001, (500, 4))
    draws = {}
    for at, one in enumerate(records):
        macro = one.evaluation.macro
        assert macro.auroc.value is not None
        assert macro.auprc.value is not None
        auroc, auprc = macro.auroc.value + noise[:, at], macro.auprc.value + noise[:, at]
        draws[name_of(one)] = Resampled(auroc, auprc, ("AF",), auroc[:, None].astype(np.float32))
    [by_auroc] = make_boards(run_file(records), records, draws)
    [by_auprc] = make_boards(run_file(records), records, draws, metric="auprc")
    assert ranks(by_auroc) == {"broad": 1, "sharp": 2}
    assert ranks(by_auprc) == {"sharp": 1, "broad": 2}
    first = by_auprc.standings[0]
    assert first.mean == pytest.approx(0.4)
    assert first.spread is not None
    assert first.spread.low is not None
    assert first.spread.high is not None
    assert 0.397 < first.spread.low < 0.4 < first.spread.high < 0.403
    lowest = by_auprc.lowest(first)
    assert lowest is not None
    assert lowest.cohort.id == "ningbo"
