"""Every two entries of a board: the numbers are those of ``leadboard compare``."""

from __future__ import annotations

import json
from itertools import combinations
from pathlib import Path

import pytest

from benchmark.exchange.joining import one_run
from benchmark.report.pairs import paired_differences
from benchmark.report.pairwise import compare_models
from benchmark.report.ranking import make_boards
from tests.benchmark.report.report_factory import drawn, record, write_drawn

MODELS = ("a", "b", "c")


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three models on four cohorts: one of them internal for a, one measured otherwise for c."""
    cells = []
    for at, cohort in enumerate(("georgia", "ningbo", "sph", "ptb-xl")):
        for step, model in enumerate(MODELS):
            aurocs = {"AF": 0.9 - 0.01 * step * at, "SB": 0.8 + 0.02 * step, "LBBB": 0.7}
            if model == "b":
                del aurocs["LBBB"]
            relation = "internal" if (model, cohort) == ("a", "ptb-xl") else "external"
            state = "beef" if (model, cohort) == ("c", "sph") else "f00d"
            one = record(model, cohort, aurocs, relation=relation, fingerprint=state)
            cells.append(drawn(one, 10 * at + step))
    return write_drawn(tmp_path_factory.mktemp("run"), cells)


def test_they_equal_leadboard_compare(run: Path) -> None:
    joined = one_run(run)
    boards = make_boards(joined.plan, joined.records, joined.draws, joined.lacking, metric="auroc")
    pairs = json.loads(json.dumps([pair for board in boards for pair in paired_differences(board)]))
    assert len(pairs) == len(list(combinations(MODELS, 2)))
    for pair in pairs:
        first, second = (name[0] for name in (pair["first"], pair["second"]))
        found = compare_models(run, first, second)
        assert set(pair["cohorts"]) == set(found.cohorts)
        for cohort, one in found.cohorts.items():
            said, own = one.auroc, pair["cohorts"][cohort]
            assert own["auroc"] == [said.value, said.low, said.high, said.p, said.p_holm]
            said = one.auprc
            assert own["auprc"] == (said and [said.value, said.low, said.high, said.p, said.p_holm])
            assert own["concepts"] == len(one.macro_concepts)
            assert tuple(own["relations"]) == one.relations
        both = "b" not in (first, second)  # b has one concept less, so its average is over others
        assert [one["auprc"] is not None for one in pair["cohorts"].values()] == [both] * len(found.cohorts)
        pooled = found.pooled
        assert pair["pooled"] == [pooled.value, pooled.low, pooled.high, pooled.p]
        assert tuple(pair["pooled_over"]) == found.pooled_over
        assert set(pair["refused"]) == set(found.refused)


def test_a_cell_without_resamples_is_named(run: Path) -> None:
    joined = one_run(run)
    draws = dict(joined.draws)
    del draws["a", "as_is", "georgia"]
    lacking = {("a", "as_is", "georgia"): "not there"}
    boards = make_boards(joined.plan, joined.records, draws, lacking, metric="auroc")
    pairs = [pair for board in boards for pair in paired_differences(board)]
    for pair in pairs:
        with_a = "a" in (pair["first"][0], pair["second"][0])
        assert pair["lacking"] == ({"georgia": "a: not there"} if with_a else {})
        assert ("georgia" in pair["cohorts"]) is not with_a
