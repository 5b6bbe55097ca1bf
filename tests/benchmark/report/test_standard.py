"""Ranks that no model can break: what a ranking is over does not depend on who is ranked."""

from __future__ import annotations

import random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmark.metrics.cell.evaluation import Resampled
from benchmark.records.record import ResultRecord
from benchmark.records.resamples import Draws, name_of
from benchmark.report.board import Board, Entry, Within
from benchmark.report.board_statistics import statistics_of
from benchmark.report.forest import forest
from benchmark.report.ranking import make_boards
from benchmark.report.statistics_tables import statistics_sentences
from tests.benchmark.report.report_factory import record, run_file

CONTROL = {"control_for": "any"}
CONCEPTS = ("AF", "LBBB", "MI", "STTC", "CD")
COHORTS = ("georgia", "ningbo", "sph")
RHYTHM = Within("rhythm", frozenset({"AF", "AFL"}))


def board_of(records: list[ResultRecord], draws: Draws | None = None, within: Within = RHYTHM) -> Board:
    [board] = make_boards(run_file(records), records, draws, within=within)
    return board


def controls() -> list[ResultRecord]:
    """A control with all concepts but one, external to two cohorts and fitted on a third."""
    cells = [record("chance", c, dict.fromkeys(CONCEPTS[:4], 0.5), card=CONTROL) for c in COHORTS[:2]]
    return [*cells, record("chance", COHORTS[2], relation="internal", card=CONTROL)]


cells = st.tuples(
    st.sampled_from(COHORTS),
    st.dictionaries(st.sampled_from(CONCEPTS), st.floats(0.3, 1.0), min_size=1),
    st.sampled_from(["external", "external", "external", "internal", "unknown"]),
    st.sampled_from(["f00d", "f00d", "f00d", "beef"]),
)
models = st.lists(st.lists(cells, min_size=1, max_size=3, unique_by=lambda one: one[0]), max_size=4)


@settings(max_examples=40)
@given(
    models,
    st.sampled_from([Within(), RHYTHM, Within("superclasses", frozenset({"MI", "STTC", "CD"}))]),
    st.sampled_from([None, ("georgia",), ("georgia", "ningbo")]),
    st.randoms(use_true_random=False),
)
def test_adding_a_model_changes_no_other_row(
    drawn: list[list[tuple[str, dict[str, float], str, str]]],
    of: Within,
    cohorts: tuple[str, ...] | None,
    order: random.Random,
) -> None:
    within = Within(of.concept_set, of.concepts, "some", cohorts) if cohorts else of
    made = [
        record(f"model{at}", cohort, aurocs, relation=relation, fingerprint=fingerprint)
        for at, own in enumerate(drawn)
        for cohort, aurocs, relation, fingerprint in own
    ]
    last = f"model{len(drawn) - 1}"
    before = board_of([*controls(), *(one for one in made if one.model.name != last)], within=within)
    everything = [*controls(), *made]
    order.shuffle(everything)
    after = board_of(everything, within=within)
    assert set(before.cohorts) == set(after.cohorts)
    assert before.of_models == after.of_models == ()
    rows = {s.entry: (s.mean, set(s.cohorts), set(s.concepts), s.why_unranked) for s in after.standings}
    for s in before.standings:
        assert rows[s.entry] == (s.mean, set(s.cohorts), set(s.concepts), s.why_unranked)
    ranked = [(s.mean or 0.0, s.rank) for s in after.standings if s.rank is not None]
    assert all(rank == 1 + sum(other > mean for other, _ in ranked) for mean, rank in ranked)


def test_values_and_ranks_are_those_of_plain_numpy() -> None:
    """Recomputed from the values and draws of each concept, without the code that ranks."""
    random = np.random.default_rng(3)
    truth, records, draws, noise = {}, [], {}, random.normal(0, 0.02, (500, len(COHORTS), len(CONCEPTS)))
    for at, model in enumerate(("good", "close", "bad", "chance")):
        own = CONCEPTS[: 5 - at % 2]
        for place, cohort in enumerate(COHORTS):
            values = np.array([0.9, 0.895, 0.7, 0.5])[at] + 0.01 * np.arange(len(own)) * (place - 1)
            card = CONTROL if model == "chance" else {}
            one = record(model, cohort, dict(zip(own, values.tolist(), strict=True)), card=card)
            drawn = values + noise[:, place, : len(own)] + random.normal(0, 0.005, (500, len(own)))
            whole = drawn.mean(axis=1)
            draws[name_of(one)] = Resampled(whole, whole, own, drawn.astype(np.float32))
            truth[model, cohort] = values, drawn.astype(np.float32)
            records.append(one)
    of = Within("two", frozenset({"LBBB", "MI"}))
    board = board_of(records, draws, of)
    assert board.reference == dict.fromkeys(COHORTS, ("LBBB", "MI"))
    means, resampled = {}, {}
    for model in ("good", "close", "bad", "chance"):
        means[model] = np.mean([truth[model, c][0][1:3].mean() for c in COHORTS])
        resampled[model] = np.mean(
            [np.roll(truth[model, c][1][:, 1:3].mean(axis=1), -at) for at, c in enumerate(COHORTS)], axis=0
        )
    for standing in board.standings:
        model = standing.entry.model
        assert standing.mean == pytest.approx(means[model])
        assert standing.spread is not None
        low, high = np.quantile(resampled[model], [0.025, 0.975])
        assert (standing.spread.low, standing.spread.high) == pytest.approx((low, high), abs=2e-3)
    assert [(s.entry.model, s.rank) for s in board.standings][2:] == [("bad", 3), ("chance", 4)]
    share = np.mean(resampled["good"] - resampled["close"] <= 0)
    assert 2 * share > 0.05  # two-sided, and the largest of three: Holm leaves it as it is
    assert [s.rank for s in board.standings][:2] == [1, 1]


def test_a_set_that_no_control_knows_is_what_most_of_its_models_have() -> None:
    echo = ("LVEF_LT_40", "RV_DYSFUNCTION")
    of = Within("echo", frozenset(echo))
    cells = [record("chance", aurocs={"AF": 0.5}, card=CONTROL)]
    cells += [record(f"echo{at}", aurocs=dict.fromkeys(echo, 0.7 + at / 10)) for at in range(2)]
    board = board_of(cells, within=of)
    assert (board.reference, board.of_models) == ({"georgia": echo}, ("georgia",))
    assert {s.entry.model: s.rank for s in board.standings} == {"echo1": 1, "echo0": 2, "chance": None}


def test_a_model_of_five_classes_stands_beside_one_of_many() -> None:
    cells = [
        record(name, aurocs=dict.fromkeys(CONCEPTS, value)) for name, value in (("wide", 0.9), ("x", 0.7))
    ]
    cells += [record("five", aurocs={"MI": 0.95, "CD": 0.95})]
    cells += [record("chance", aurocs=dict.fromkeys(CONCEPTS, 0.5), card=CONTROL)]
    of = Within("superclasses", frozenset({"MI", "CD"}))
    assert {s.entry.model: s.rank for s in board_of(cells, within=of).standings}["five"] == 1
    alone = board_of(cells, within=Within())
    assert {s.entry.model: s.rank for s in alone.standings} == {"wide": 1, "x": 2, "chance": 3, "five": None}
    assert "2 of 5 concepts (without AF, LBBB, STTC)" in [s.why_unranked for s in alone.standings]


def test_every_mean_of_a_page_is_of_the_set() -> None:
    """Next hospital, lowest cohort and forest leave out what the set does not have."""
    random = np.random.default_rng(5)
    records, draws = [], {}
    for model, own in (("wide", {"AF": 0.9, "LBBB": 0.6}), ("af", {"AF": 0.8}), ("chance", {"AF": 0.6})):
        for cohort in COHORTS[:2]:
            one = record(model, cohort, own, card=CONTROL if model == "chance" else {})
            drawn = np.array(list(own.values())) + random.normal(0, 0.01, (200, len(own)))
            whole = drawn.mean(axis=1)
            draws[name_of(one)] = Resampled(whole, whole, tuple(own), drawn.astype(np.float32))
            records.append(one)
    board = board_of(records, draws)
    ahead = statistics_of(board).next_hospital[Entry("wide", "as_is")]
    assert (ahead.macro.value, list(ahead.concepts)) == (pytest.approx(0.9), ["AF"])
    lowest = board.lowest(board.standings[0])
    assert lowest is not None
    assert board.macro_of(lowest).value == pytest.approx(0.9)
    assert [s.rank for s in board.standings] == [1, 2, 3]
    assert any("answer two questions" in sentence for sentence in statistics_sentences(board))


def test_a_forest_puts_means_over_the_same_concepts_together() -> None:
    both = {"AF": 0.8, "LBBB": 0.7}
    cells = [record("chance", aurocs=both, card=CONTROL), record("wide", aurocs={**both, "MI": 0.9})]
    assert "over other concepts" not in forest([board_of(cells, within=Within())]).svg
    cells.append(record("af", aurocs={"AF": 0.9}))
    assert "over other concepts" in forest([board_of(cells, within=Within())]).svg
    assert "over other concepts" not in forest([board_of(cells)]).svg
