"""AUPRC within a smaller set of concepts: ranked by the resamples of its concepts, as AUROC is."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import average_precision_score

from benchmark.metrics.cell.evaluation import Resampled, evaluate_resampled
from benchmark.metrics.kernel import draw_counts
from benchmark.records.record import ResultRecord
from benchmark.records.resamples import load_resamples, name_of, save_resamples
from benchmark.report.board import Board, Within
from benchmark.report.leaderboard_table import ranking_rules
from benchmark.report.ranking import make_boards
from cohorts.errors import LeadboardError
from tests.benchmark.report.report_factory import drawn, record, run_file

RECORDS, RESAMPLES = 80, 120
CONCEPTS = ["AF", "AFL", "LBBB"]
RHYTHM = Within("rhythm", frozenset(["AF", "AFL"]))
Measured = tuple[pd.DataFrame, dict[str, pd.DataFrame], list[tuple[ResultRecord, Resampled]]]
SKILL = {"best": 3.0, "near": 2.97, "poor": 0.2}


@pytest.fixture(scope="module")
def measured() -> Measured:
    """Labels of a cohort, scores of three models on it, and what the suite makes of them."""
    rng = np.random.default_rng(0)
    labels = pd.DataFrame((rng.random((RECORDS, 3)) < 0.3).astype(np.int8), columns=CONCEPTS)
    noise = rng.normal(size=labels.shape)
    scores = {name: noise + skill * labels for name, skill in SKILL.items()}
    cells = []
    for name, table in scores.items():
        evaluation, resampled = evaluate_resampled(labels, table, resamples=RESAMPLES)
        cells.append((record(name).model_copy(update={"evaluation": evaluation}), resampled))
    return labels, scores, cells


def by_hand(labels: pd.DataFrame, scores: pd.DataFrame) -> np.ndarray:
    """Mean average precision over the set in each resample, by scikit-learn."""
    counts = np.empty((RECORDS, RESAMPLES), np.uint8)
    draw_counts(np.arange(RECORDS), RECORDS, np.uint64(0), 0, counts)
    found = [
        [average_precision_score(labels[c], scores[c], sample_weight=drawn) for c in ("AF", "AFL")]
        for drawn in counts.T
    ]
    return np.mean(found, axis=1)


def board_of(cells: list[tuple[ResultRecord, Resampled]]) -> Board:
    records = [one for one, _ in cells]
    draws = {name_of(one): resampled for one, resampled in cells}
    [board] = make_boards(run_file(records), records, draws, metric="auprc", within=RHYTHM)
    return board


def test_ranks_and_intervals_are_of_the_paired_resamples(
    measured: Measured,
) -> None:
    labels, scores, cells = measured
    by_model = {name: by_hand(labels, table) for name, table in scores.items()}
    board = board_of(cells)
    assert board.by_groups
    for standing in board.standings:
        assert standing.spread is not None
        ends = np.percentile(by_model[standing.entry.model], [2.5, 97.5])
        assert (standing.spread.low, standing.spread.high) == pytest.approx(ends, abs=1e-6)
    worse = [np.count_nonzero(by_model["best"] <= by_model[name]) for name in ("near", "poor")]
    p = [2 * (count + 1) / (RESAMPLES + 1) for count in worse]
    assert 2 * min(p) <= 0.05 < max(p)  # by Holm: poor differs from the best, and near does not
    assert {s.entry.model: s.rank for s in board.standings} == {"best": 1, "near": 1, "poor": 3}


@pytest.mark.parametrize(("drawn_times", "told"), [(79, False), (78, True)])
def test_too_few_resamples_to_tell_three_models_apart_are_told(
    measured: Measured, drawn_times: int, told: bool
) -> None:
    # The smallest adjusted p value of the best of three is 2 * 2 / (resamples + 1).
    assert (4 / (drawn_times + 1) > 0.05) is told
    board = board_of(measured[2])
    records = tuple(
        one.model_copy(
            update={
                "evaluation": one.evaluation.model_copy(
                    update={
                        "bootstrap": one.evaluation.bootstrap.model_copy(update={"resamples": drawn_times})
                    }
                )
            }
        )
        for one in board.records
    )
    rules = " ".join(ranking_rules(replace(board, records=records)))
    assert ("With 78 resamples no p value is small enough" in rules) is told
    assert ("It takes --resamples 79 at least." in rules) is told


def test_a_file_of_an_earlier_version_is_read_and_the_ranking_says_so(
    measured: Measured,
    tmp_path: Path,
) -> None:
    (one, resampled), *others = measured[2]
    path = tmp_path / "georgia.resamples.npz"
    save_resamples(one, resampled, path)
    whole = load_resamples(one, path)
    assert whole.auprc is not None
    np.testing.assert_array_equal(whole.auprc, resampled.auprc)
    save_resamples(one, replace(resampled, drawn_auprc=None), path)
    earlier = load_resamples(one, path)
    assert earlier.auprc is None
    board = board_of([(one, earlier), *others])
    assert not board.by_groups
    assert [s.rank for s in board.standings] == [1, 2, 3]
    assert any("(best on georgia), so ranks go by the means" in rule for rule in ranking_rules(board))


def test_damaged_auprc_is_told_when_the_file_is_read(tmp_path: Path) -> None:
    one, resampled = drawn(record())
    path = tmp_path / "georgia.resamples.npz"
    save_resamples(one, resampled, path)
    content = bytearray(path.read_bytes())
    assert resampled.auprc is not None
    content[content.index(resampled.auprc.tobytes()) + 5] ^= 1
    path.write_bytes(content)
    with pytest.raises(LeadboardError, match="is damaged"):
        load_resamples(one, path)
