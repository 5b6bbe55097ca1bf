"""From cells to a run: means, gaps, the next hospital and pairs, against scipy and by hand."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from benchmark.exchange.joining import one_run
from benchmark.metrics.cell.evaluation import Resampled
from benchmark.metrics.cell.resampled import means_over
from benchmark.metrics.intervals import Values, percentile_interval
from benchmark.records.record import ResultRecord
from benchmark.records.resamples import load_resamples, name_of, resamples_path, save_resamples
from benchmark.report.across_cohorts import ResampledCell, gaps, mean_over_cohorts, next_hospital
from benchmark.report.board import Board, Entry
from benchmark.report.board_statistics import statistics_of
from benchmark.report.differences import compare
from benchmark.report.ranking import make_boards
from benchmark.report.writing import write_report
from cohorts.errors import LeadboardError
from tests.benchmark.report.report_factory import concept, drawn, record, run_file, write_drawn, write_run

Cells = list[tuple[ResultRecord, Resampled]]


def cell(model: str = "net", cohort: str = "georgia", seed: int = 0, **more: object) -> ResampledCell:
    noise, resamples = more.pop("noise", 0.01), more.pop("resamples", 400)
    return ResampledCell(*drawn(record(model, cohort, **more), seed, noise, resamples))  # type: ignore[arg-type]


def board_of(cells: Cells) -> Board:
    records = [one for one, _ in cells]
    draws = {name_of(one): resampled for one, resampled in cells}
    [board] = make_boards(run_file(records), records, draws)
    return board


def test_mean_over_cohorts_has_the_width_of_independent_cohorts() -> None:
    """Two cohorts of one size draw the same rows in the same resample: the mean must not look so."""
    three = ("georgia", "ningbo", "sph")
    cells = [cell(cohort=name, seed=1, aurocs={"AF": 0.8}, resamples=8000) for name in three]
    spread, _ = mean_over_cohorts([one.macro("auroc") for one in cells])
    assert spread.value == pytest.approx(0.8)
    alone = np.std(cells[0].resampled.macro_auroc)
    assert (spread.high - spread.low) / 3.92 == pytest.approx(alone / math.sqrt(3), rel=0.05)


def test_a_place_is_kept_for_a_cohort_that_is_missing() -> None:
    """Else the draws of two models would no longer be paired in the cohorts that both have."""
    first, second = cell(cohort="georgia"), cell(cohort="ningbo", seed=1)
    whole, _ = mean_over_cohorts([None, second.macro("auroc")])
    assert whole.low == pytest.approx(percentile_interval(second.resampled.macro_auroc)[0])  # type: ignore[index]
    assert mean_over_cohorts([first.macro("auroc"), second.macro("auroc")])[0].value == pytest.approx(0.85)


def test_gap_is_over_the_same_concepts_and_its_interval_that_of_a_difference() -> None:
    home = cell(cohort="ptb-xl", aurocs={"AF": 0.9, "LBBB": 0.8, "NORM": 0.99}, relation="internal", seed=1)
    georgia = cell(cohort="georgia", aurocs={"AF": 0.7, "LBBB": 0.8, "SB": 0.2}, seed=1)
    ningbo = cell(cohort="ningbo", aurocs={"LBBB": 0.7, "WPW": concept(0.1, positives=2)}, seed=1)
    pairs, mean = gaps([home], [georgia, ningbo])
    assert [(pair.internal, pair.external, pair.concepts) for pair in pairs] == [
        ("ptb-xl", "georgia", ("AF", "LBBB")),
        ("ptb-xl", "ningbo", ("LBBB",)),
    ]
    assert [pair.gap.value for pair in pairs] == pytest.approx([0.1, 0.1])
    assert mean.value == pytest.approx(0.1)
    assert (pairs[1].gap.high - pairs[1].gap.low) / 3.92 == pytest.approx(0.01 * math.sqrt(2), rel=0.15)
    assert gaps([home], [cell(aurocs={"SB": 0.5})])[1].reason


def test_next_hospital_is_a_random_effects_model_on_logits() -> None:
    values = (0.70, 0.80, 0.85, 0.9)
    cells = [
        cell(cohort=f"c{at}", seed=at, aurocs={"AF": value, "WPW": concept(0.9, positives=20 if at else 2)})
        for at, value in enumerate(values)
    ]
    found = next_hospital(cells)
    assert found.cohorts == ("c0", "c1", "c2", "c3")
    assert found.of_concept == {"AF": found.cohorts, "WPW": ("c1", "c2", "c3")}
    af = found.concepts["AF"]
    y = np.log(np.array(values) / (1 - np.array(values)))
    # noise is small beside the differences of the cohorts: plain t interval and prediction of their logits
    half = stats.t.ppf(0.975, 3) * np.std(y, ddof=1) / 2
    ahead = stats.t.ppf(0.975, 2) * np.std(y, ddof=1) * math.sqrt(1 + 1 / 4)
    assert [af.low, af.high] == pytest.approx(
        1 / (1 + np.exp(-np.array([y.mean() - half, y.mean() + half]))), abs=0.01
    )
    assert af.prediction_low == pytest.approx(1 / (1 + math.exp(-(y.mean() - ahead))), abs=0.01)
    assert af.i2 > 90


def test_a_perfect_cohort_cannot_be_pooled_and_is_named() -> None:
    cells = [cell(aurocs={"AF": 1.0}, noise=0.0), cell(cohort="ningbo", aurocs={"AF": 0.8})]
    found = next_hospital(cells)
    assert (found.cohorts, found.left_out) == (("ningbo",), ("georgia",))


def test_pairs_are_paired_pooled_and_refused_by_name() -> None:
    first = [
        cell("a", c, at, aurocs={"AF": 0.83, "LBBB": 0.8})
        for at, c in enumerate(("georgia", "ningbo", "sph"))
    ]
    second = [cell("b", c, at, aurocs={"AF": 0.8, "SB": 0.1}) for at, c in enumerate(("georgia", "ningbo"))]
    second.append(cell("b", "sph", 2, aurocs={"AF": 0.8}, fingerprint="other"))
    found = compare(first, second)
    assert found.refused == {"sph": "another state of the release"}
    assert [(pair.cohort, pair.concepts) for pair in found.pairs] == [("georgia", 1), ("ningbo", 1)]
    for pair in found.pairs:
        assert pair.difference.value == pytest.approx(0.03)
        assert pair.difference.p == pytest.approx(2 / 401)  # the same noise in both: the difference is sure
    assert found.pooled.value == pytest.approx(0.03, abs=1e-6)
    itself = compare(first, first)
    assert {pair.difference.p for pair in itself.pairs} == {1.0}


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"ontology": {"version": "1", "hash": "x"}}, "labels of another ontology"),
        ({"aurocs": {"AF": concept(0.9, positives=21)}}, "other labels"),
    ],
)
def test_what_is_not_measured_alike_is_not_compared(change: dict[str, object], why: str) -> None:
    assert compare(
        [cell("a", aurocs={"AF": 0.9})], [cell("b", **({"aurocs": {"AF": 0.9}} | change))]
    ).refused == {"georgia": why}


def test_models_without_a_significant_difference_share_a_rank() -> None:
    cells = [
        drawn(record("a", aurocs={"AF": 0.900}), seed=1),
        drawn(record("b", aurocs={"AF": 0.899}), seed=2),
        drawn(record("c", aurocs={"AF": 0.6}), seed=3),
    ]
    board = board_of(cells)
    assert [(s.entry.model, s.rank) for s in board.standings] == [("a", 1), ("b", 1), ("c", 3)]
    assert board.by_groups
    paired = [(cells[0]), (drawn(record("b", aurocs={"AF": 0.899}), seed=1)), cells[2]]
    assert [s.rank for s in board_of(paired).standings] == [1, 2, 3]  # by the same draws they differ


def test_against_the_best_and_against_the_control() -> None:
    about, random = {"control_for": "any"}, {"control_for": "net"}
    cells = [drawn(record("net", c, {"AF": 0.9}), seed=at) for at, c in enumerate(("georgia", "ningbo"))] + [
        drawn(record("other", c, {"AF": 0.7}), seed=at) for at, c in enumerate(("georgia", "ningbo"))
    ]
    cells += [drawn(record("age", c, {"AF": 0.6}, card=about), seed=9) for c in ("georgia", "ningbo")]
    cells += [drawn(record("random", c, {"AF": 0.65}, card=random), seed=9) for c in ("georgia", "ningbo")]
    found = statistics_of(board_of(cells))
    assert [(r.first.model, r.second.model) for r in found.against_best] == [
        ("net", "other"),
        ("net", "random"),
        ("net", "age"),
    ]
    assert [(r.first.model, r.second.model) for r in found.against_controls] == [
        ("net", "random"),
        ("other", "age"),
    ]
    raw = [pair.difference.p for comparison in found.against_best for pair in comparison.compared.pairs]
    assert found.against_best[0].adjusted[0] == pytest.approx(min(1.0, 6 * min(raw)))


def test_resamples_that_were_replaced_since_they_were_checked_are_not_read(tmp_path: Path) -> None:
    """Only the macro averages stay in memory; the rest is read again, and must be of the same file."""
    one, resampled = drawn(record())
    path = tmp_path / "georgia.resamples.npz"
    save_resamples(one, resampled, path)
    back = load_resamples(one, path)
    save_resamples(one, resampled, path)
    with pytest.raises(LeadboardError, match="was replaced while it was read"):
        _ = back.auroc
    path.unlink()
    with pytest.raises(LeadboardError, match="was replaced while it was read"):
        _ = back.auroc


def test_saved_resamples_come_back_and_strange_ones_are_told(tmp_path: Path) -> None:
    one, resampled = drawn(record())
    path = tmp_path / "georgia.resamples.npz"
    with pytest.raises(LeadboardError, match="missing"):
        load_resamples(one, path)
    save_resamples(one, resampled, path)
    back = load_resamples(one, path)
    np.testing.assert_array_equal(back.auroc, resampled.auroc)
    np.testing.assert_array_equal(back.macro_auroc, resampled.macro_auroc)
    assert [back.variance_of(c) for c in back.concepts] == [resampled.variance_of(c) for c in back.concepts]
    other = one.model_copy(update={"predictions": one.predictions.model_copy(update={"sha256": "11"})})
    with pytest.raises(LeadboardError, match="of other predictions, labels or settings"):
        load_resamples(other, path)
    shifted = Resampled(
        resampled.macro_auroc + 0.01, resampled.macro_auprc, resampled.concepts, resampled.auroc
    )
    save_resamples(one, shifted, path)
    with pytest.raises(LeadboardError, match="does not give the intervals of its record"):
        load_resamples(one, path)
    narrow = Resampled(
        resampled.macro_auroc, resampled.macro_auprc, resampled.concepts, resampled.auroc[:, :1]
    )
    save_resamples(one, narrow, path)
    with pytest.raises(LeadboardError, match="of another shape"):
        load_resamples(one, path)
    for content in (b"", b"PK\x03\x04", path.read_bytes()[:500]):
        path.write_bytes(content)
        with pytest.raises(LeadboardError, match="is damaged"):
            load_resamples(one, path)
    np.savez(path, key=np.array(["x"], dtype=object), allow_pickle=True)
    with pytest.raises(LeadboardError, match="is damaged"):
        load_resamples(one, path)


def test_missing_or_stale_resamples_are_told_and_ranks_fall_back(tmp_path: Path) -> None:
    cells = [drawn(record("a", aurocs={"AF": 0.900}), 1), drawn(record("b", aurocs={"AF": 0.899}), 2)]
    run = write_drawn(tmp_path, cells)
    write_report(run)
    found = json.loads((run / "leaderboard.json").read_text())["rankings"][0]
    assert [row["rank"] for row in found["rows"]] == [1, 1]
    low, high = found["rows"][0]["external_macro_auroc_interval"]
    assert low < 0.9 < high
    assert "shares rank 1" in (run / "leaderboard.html").read_text()
    assert resamples_path(run / "b/as_is/georgia.json").is_file()
    resamples_path(run / "b/as_is/georgia.json").unlink()
    assert set(one_run(run).lacking) == {("b", "as_is", "georgia")}
    write_report(run)
    found = json.loads((run / "leaderboard.json").read_text())["rankings"][0]
    assert [row["rank"] for row in found["rows"]] == [1, 2]
    assert "missing" in found["without_resamples"][0]["reason"]
    for text in ((run / "leaderboard.html").read_text(), (run / "leaderboard.md").read_text()):
        assert "ranks go by the means alone" in text
        assert "b (as" in text


def test_the_page_shows_all_of_it_and_marks_what_is_simulated(tmp_path: Path) -> None:
    cells: Cells = []
    for at, name in enumerate(("net", "age")):
        about = {"control_for": "any" if name == "age" else None}
        for place, cohort in enumerate(("georgia", "ningbo", "sph")):
            one = record(name, cohort, {"AF": 0.9 - 0.2 * at - 0.05 * place}, card=about, simulated=True)
            cells.append(drawn(one, place))
        home = record(name, "ptb-xl", {"AF": 0.95}, relation="internal", card=about, simulated=True)
        cells.append(drawn(home, 7))
    run = write_drawn(tmp_path, cells)
    write_report(run)
    html, text = ((run / f"leaderboard.{kind}").read_text() for kind in ("html", "md"))
    for caption in (
        "at the next hospital, from the external cohorts of each model",
        "compared with the best",
        "compared with a control",
    ):
        assert f"Simulated cohorts, not patients: {caption}" in html
        assert f"Simulated cohorts, not patients: {caption}" in text
    assert "external gap, mean AUROC" in html
    assert "ptb-xl (simulated)" in html
    assert "400 resamples, seed 7" in html
    ahead = json.loads((run / "leaderboard.json").read_text())["rankings"][0]["statistics"]["next_hospital"]
    assert ahead[0]["model"] == "net"
    assert ahead[0]["found"]["macro"]["cohorts"] == 3
    assert Entry("net", "as_is") in statistics_of(board_of(cells)).mean_gap


def test_without_any_resamples_there_is_a_report(tmp_path: Path) -> None:
    run = write_run(tmp_path, [record("net"), record("net", "ptb-xl", relation="internal")])
    write_report(run)
    assert "resampled figures are missing" in (run / "leaderboard.html").read_text()


def test_means_over_sets_are_those_of_numpy_to_the_last_digit() -> None:
    rng = np.random.default_rng(5)
    concepts = tuple(f"c{at}" for at in range(70))
    drawn = rng.random((2_500, 70)).astype(np.float32)
    drawn[17, 3] = drawn[2_400, 40] = np.nan
    resampled = Resampled(np.empty(2_500), np.empty(2_500), concepts, drawn, drawn_auprc=1 - drawn)
    sets = [frozenset(rng.choice(concepts, size, replace=False).tolist()) for size in (1, 8, 9, 33, 69)]
    for metric, each in (("auroc", drawn), ("auprc", 1 - drawn)):
        with_means = resampled.with_means([*sets, frozenset(), frozenset(concepts)], metric)
        assert set(with_means.means) == {(metric, one) for one in sets}
        for one in sets:
            columns = [at for at, concept in enumerate(concepts) if concept in one]
            expected = each[:, columns].mean(axis=1, dtype=np.float64)
            for found in (resampled, with_means):
                np.testing.assert_array_equal(found.mean_over(one, metric), expected)


def test_products_for_means_are_small_enough_for_one_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    sizes, product = [], np.matmul

    def counted(left: Values, right: Values, out: Values) -> Values:
        sizes.append(len(left) * right.size)
        return product(left, right, out=out)

    monkeypatch.setattr(np, "matmul", counted)
    concepts = tuple(f"c{at}" for at in range(100))
    drawn = np.random.default_rng(0).random((3_000, 100)).astype(np.float32)
    means_over(drawn, concepts, [frozenset(concepts[:size]) for size in (3, 50, 99)])
    assert sum(sizes) == 3_000 * 100 * 3
    assert max(sizes) <= 2**18  # of OpenBLAS: 65,536 times GEMM_MULTITHREAD_THRESHOLD, which is 4
