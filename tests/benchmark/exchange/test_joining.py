"""One board of results made in different places: nothing counts twice, nothing is mixed up, all is said."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.special import expit, logit

from benchmark.exchange.disclosure import pseudonym
from benchmark.exchange.gathering import Cell, Results, Source, Told, gather
from benchmark.exchange.joining import Joined, join
from benchmark.exchange.summarising import aggregate_of
from benchmark.metrics.cell.evaluation import Resampled
from benchmark.metrics.pooling import pool_aurocs
from benchmark.records.locations import in_run
from benchmark.records.record import ResultRecord
from benchmark.records.resamples import name_of
from benchmark.report.board import Within
from benchmark.report.writing import write_board
from cohorts.catalogue import find_cohort
from cohorts.errors import UsageError
from tests.benchmark.report.report_factory import drawn, planned, record, run_file, write_drawn
from tests.benchmark.report.test_report import Page, strings

KEY = b"the key of this site"


def cell(made: tuple[ResultRecord, Resampled] | ResultRecord, source: str = "one") -> Cell:
    one, draws = made if isinstance(made, tuple) else drawn(made)
    return Cell(one, in_run(Path(f"{one.cohort.id}.json")), draws, source)


def told(made: ResultRecord, source: str = "hospital", key: bytes = KEY) -> Told:
    one, draws = drawn(made)
    return Told(aggregate_of(one, draws, 10, key), one.model, source)


def results(*found: Cell | Told) -> Results:
    whole = Results()
    for one in found:
        (whole.cells if isinstance(one, Cell) else whole.told).append(one)  # type: ignore[arg-type]
    return whole


def joined(*found: Cell | Told, key: bytes | None = None) -> Joined:
    return join(results(*found), "board", key)


def made_at(one: ResultRecord, created: str, sha256: str = "00") -> ResultRecord:
    provenance = one.provenance.model_copy(update={"created": created})
    predictions = one.predictions.model_copy(update={"sha256": sha256})
    return one.model_copy(update={"provenance": provenance, "predictions": predictions})


def names(board: Joined) -> list[tuple[str, str, str]]:
    return [name_of(record) for record in board.records]


def test_cells_of_different_places_stand_beside_each_other() -> None:
    board = joined(
        cell(record("net", "georgia"), "one"), cell(record("net", "ningbo"), "two"), cell(record("other"))
    )
    assert [(model, cohort) for model, _, cohort in names(board)] == [
        ("net", "georgia"),
        ("net", "ningbo"),
        ("other", "georgia"),
    ]
    assert set(board.draws) == set(names(board))
    assert board.plan.warnings == ()


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_of_one_cell_the_newest_counts_in_any_order(order: Sequence[int]) -> None:
    old = made_at(record(aurocs={"AF": 0.7}), "2025-06-01T23:00:00+00:00", "aa")
    new = made_at(record(aurocs={"AF": 0.8}), "2025-06-02T00:30:00+01:00", "bb")  # 23:30 in the other zone
    pair = [cell(old, "old"), cell(new, "new")]
    board = joined(*(pair[at] for at in order))
    assert [r.evaluation.macro.auroc.value for r in board.records] == [0.8]
    (said,) = board.plan.warnings
    assert "1 cell is in several sources" in said
    assert "what is in new counts, the newest (net, as_is on georgia)" in said


def test_a_time_that_is_none_is_older_than_any() -> None:
    board = joined(
        cell(made_at(record(aurocs={"AF": 0.7}), "yesterday", "aa"), "a"),
        cell(made_at(record(aurocs={"AF": 0.8}), "1999-01-01", "bb"), "b"),
    )
    assert [r.evaluation.macro.auroc.value for r in board.records] == [0.8]


def test_of_the_same_predictions_the_one_with_resamples_counts() -> None:
    one, draws = drawn(record())
    without = Cell(one, in_run(Path("x.json")), "a submission has none", "submission")
    board = joined(without, Cell(one, in_run(Path("x.json")), draws, "run"))
    assert list(board.draws) == names(board)
    assert "what is in run counts, of the same predictions" in board.plan.warnings[0]


def test_what_can_be_recomputed_counts_before_what_is_told() -> None:
    board = joined(told(record(aurocs={"AF": 0.9})), cell(record(aurocs={"AF": 0.8})))
    assert len(board.records) == 1
    assert board.told == ()
    assert "what is in one counts, which can be recomputed" in board.plan.warnings[0]


def test_of_two_that_are_told_the_one_named_last_counts() -> None:
    board = joined(told(record(aurocs={"AF": 0.7}), "a"), told(record(aurocs={"AF": 0.9}), "b"))
    assert [one.source for one in board.told] == ["b"]
    assert "what is in b counts, which was named last" in board.plan.warnings[0]


def test_two_hospitals_of_one_name_are_told_apart() -> None:
    mine = record("net", "my-hospital", {"AF": 0.9}, fingerprint="aaaa1111")
    theirs = record("net", "my-hospital", {"AF": 0.7}, fingerprint="bbbb2222")
    board = joined(told(mine, "a", b"key a"), told(theirs, "b", b"key b"))
    ids = [one.cell.cohort.id for one in board.told]
    assert ids == [
        f"my-hospital [{pseudonym(b'key a', 'aaaa1111')[:4]}]",
        f"my-hospital [{pseudonym(b'key b', 'bbbb2222')[:4]}]",
    ]
    (said,) = board.plan.warnings
    assert said.startswith("2 hospitals call themselves my-hospital: ")
    assert f"{ids[0]} is from a" in said


def test_a_hospital_with_the_layout_of_a_release_is_not_taken_for_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with monkeypatch.context() as patched:
        georgia = find_cohort("georgia")
        patched.setattr(georgia, "card", georgia.card.model_copy(update={"access": "private"}))
        theirs = [told(record("net", "georgia", fingerprint=f), f) for f in ("aaaa", "bbbb")]
    board = joined(cell(record("net", "georgia")), *theirs)
    assert [cohort for _, _, cohort in names(board)] == ["georgia"]
    assert [one.cell.cohort.id for one in board.told] == [
        f"georgia [{pseudonym(KEY, f)[:4]}]" for f in ("aaaa", "bbbb")
    ]
    alone = joined(cell(record("net", "georgia")), theirs[0])
    assert [one.cell.cohort.id for one in alone.told] == [f"georgia [{pseudonym(KEY, 'aaaa')[:4]}]"]
    assert "1 hospital calls itself georgia" in alone.plan.warnings[0]


def test_one_hospital_in_two_submissions_is_one_cohort() -> None:
    board = joined(told(record("net", "my-hospital"), "a"), told(record("other", "my-hospital"), "b"))
    assert [one.cell.cohort.id for one in board.told] == ["my-hospital"] * 2
    assert board.plan.warnings == ()


def test_the_key_of_the_site_tells_that_an_aggregate_is_of_what_is_here() -> None:
    mine = record("net", "my-hospital")
    assert len(joined(cell(mine), told(mine), key=KEY).told) == 0
    apart = joined(cell(mine), told(mine), key=None)  # nobody else can know
    assert {r.cohort.id for r in apart.records} == {"my-hospital [f00d]"}
    assert len(apart.told) == 1


def test_models_of_one_name_and_other_weights_are_two_models() -> None:
    one = record("net", "georgia", weights_sha256=("aa",))
    two = record("net", "ningbo", weights_sha256=("bb",))
    board = joined(cell(one, "a"), cell(two, "b"))
    models = [model for model, _, _ in names(board)]
    assert len(set(models)) == 2
    assert all(model.startswith("net [") for model in models)
    assert "2 models of different card, code or weights are called net" in board.plan.warnings[0]
    same = joined(cell(one, "a"), cell(record("net", "ningbo", weights_sha256=("aa",)), "b"))
    assert {model for model, _, _ in names(same)} == {"net"}


def test_other_words_on_the_card_make_no_other_model() -> None:
    words = {"description": "better words", "citation": "Roe 2024", "licence": "BSD"}
    board = joined(cell(record("net", "georgia")), cell(record("net", "ningbo", card=words)))
    assert {model for model, _, _ in names(board)} == {"net"}
    more = {"trained_on": ("ptb-xl", "sph")}
    trained = joined(cell(record("net")), cell(record("net", "ningbo", card=more)))
    assert {model[:5] for model, _, _ in names(trained)} == {"net ["}


def test_states_of_a_release_are_kept_apart_and_the_one_of_most_keeps_its_name() -> None:
    whole = [cell(record(name, "georgia", fingerprint="aaaa"), "a") for name in ("net", "other")]
    part = cell(record("third", "georgia", fingerprint="bbbb"), "b")
    board = joined(part, *whole)
    assert {(model, cohort) for model, _, cohort in names(board)} == {
        ("third", "georgia [bbbb]"),
        ("net", "georgia"),
        ("other", "georgia"),
    }
    assert "georgia was measured in 2 states of the release or of its labels" in board.plan.warnings[0]
    # one model in two states of a release is one cell: its patients must not count twice
    both = joined(
        cell(made_at(record("net", "georgia", fingerprint="aaaa"), "2025-01-01", "aa"), "a"),
        cell(made_at(record("net", "georgia", fingerprint="bbbb"), "2025-01-02", "bb"), "b"),
    )
    assert [r.cohort.fingerprint for r in both.records] == ["bbbb"]


def test_labels_of_another_ontology_are_kept_apart() -> None:
    here = record("net", "georgia")
    other = record("other", "georgia")
    other = other.model_copy(update={"ontology": other.ontology.model_copy(update={"hash": "ef01"})})
    cohorts = {cohort for _, _, cohort in names(joined(cell(here), cell(other)))}
    assert cohorts == {"georgia", "georgia [ef01]"}


def test_simulated_and_real_cells_of_one_cohort_never_share_a_name() -> None:
    real, made_up = record("net", "georgia"), record("net", "georgia", simulated=True)
    board = joined(cell(real), cell(made_up))
    assert sorted(cohort for _, _, cohort in names(board)) == ["georgia", "georgia [simulated]"]
    assert len(board.draws) == 2


def test_cells_of_other_resamples_have_none_to_be_compared_with() -> None:
    usual = [drawn(record(name, "georgia")) for name in ("a", "b")]
    other = drawn(record("c", "georgia"), resamples=300)
    board = joined(*map(cell, usual), cell(other))
    assert {name[0] for name in board.draws} == {"a", "b"}
    ((name, why),) = board.lacking.items()
    assert name[0] == "c"
    assert why == "300 resamples from seed 7, but most cells have 400 from seed 7"
    assert (board.plan.seed, board.plan.resamples) == (7, 400)


def test_what_has_a_result_somewhere_is_not_missing() -> None:
    found = results(cell(record("net", "georgia"), "a"))
    unfinished = [planned("net", "georgia"), planned("net", "sph", reason="out of memory")]
    absent = {"georgia": "not found", "hefei": "not found"}
    found.plans["b"] = run_file([], unfinished, absent=absent, warnings=["the disk is full"])
    plan = join(found, "board").plan
    assert [(c.cohort, c.status) for c in plan.cells] == [("georgia", "done"), ("sph", "failed")]
    assert [one.cohort for one in plan.absent] == ["hefei"]
    assert plan.warnings == ("b: the disk is full",)


# --- the board


def board_of(folder: Path, *found: Cell | Told) -> dict[str, Any]:
    board = joined(*found)
    sources = tuple(Source(name, "run", 1) for name in dict.fromkeys(one.source for one in found))
    whole = replace(board, sources=sources)
    write_board(whole, folder)
    content = json.loads((folder / "leaderboard.json").read_text())
    assert isinstance(content, dict)
    return content


def test_what_is_told_is_pooled_apart_and_never_ranked(tmp_path: Path) -> None:
    made = [record("net", name, {"AF": auroc}) for name, auroc in HERE.items()]
    here = [drawn(one, seed=at) for at, one in enumerate(made)]
    other = drawn(record("other", "georgia", {"AF": 0.6}))
    away = told(record("net", "my-hospital", {"AF": 0.6}), "hospital")
    with_it = board_of(tmp_path / "with", *map(cell, here), cell(other), away)
    without = board_of(tmp_path / "without", *map(cell, here), cell(other))
    assert with_it["rankings"] == without["rankings"]
    assert with_it["cells"] == without["cells"]
    assert with_it["estimates"] == without["estimates"]
    (pooled,) = with_it["pooled_with_self_reported"]
    figure = away.cell.macro.auroc
    assert figure is not None
    assert figure.standard_error is not None
    values = [*HERE.values(), figure.value]
    variances = [float(np.var(draws.macro_auroc, ddof=1)) for _, draws in here]
    expected = pool_aurocs(values, [*variances, figure.standard_error**2])
    assert pooled["whole"]["value"] == pytest.approx(expected.value, abs=1e-12)
    assert pooled["whole"]["prediction_low"] == pytest.approx(expected.prediction_low, abs=1e-12)
    alone = pool_aurocs(values[:-1], variances)
    assert pooled["recomputed"]["value"] == pytest.approx(alone.value, abs=1e-12)
    assert pooled["told_cohorts"] == ["my-hospital"]
    assert pooled["recomputed_cohorts"] == list(HERE)
    middle = expit(np.mean(logit(values[:-1])))
    assert pooled["recomputed"]["value"] == pytest.approx(middle, abs=0.01)
    assert pooled["whole"]["value"] < pooled["recomputed"]["value"]


HERE = {"georgia": 0.9, "ningbo": 0.88}


def test_what_can_be_recomputed_is_pooled_over_the_concepts_of_the_ranking(tmp_path: Path) -> None:
    here = [
        drawn(record("net", name, {"AF": auroc, "LBBB": 0.6}), seed=at)
        for at, (name, auroc) in enumerate(HERE.items())
    ]
    away = told(record("net", "my-hospital", {"AF": 0.6, "LBBB": 0.7}), "hospital")
    board = replace(joined(*map(cell, here), away), sources=(Source("hospital", "aggregate submission", 1),))
    write_board(board, tmp_path, within=Within("AF", frozenset({"AF"})))
    (pooled,) = json.loads((tmp_path / "leaderboard.json").read_text())["pooled_with_self_reported"]
    figure = away.cell.macro.auroc
    assert figure is not None
    assert figure.standard_error is not None
    columns = [draws.auroc[:, draws.concepts.index("AF")].astype(np.float64) for _, draws in here]
    variances = [float(np.var(column, ddof=1)) for column in columns]
    expected = pool_aurocs([*HERE.values(), figure.value], [*variances, figure.standard_error**2])
    assert pooled["whole"]["value"] == pytest.approx(expected.value, abs=1e-12)
    assert pooled["own_concepts"] == ["my-hospital"]
    assert "my-hospital over their own concepts" in (tmp_path / "leaderboard.html").read_text()


def test_self_reported_rows_stand_in_a_section_of_their_own(tmp_path: Path) -> None:
    board_of(tmp_path, cell(record("net", "georgia")), told(record("net", "my-hospital", {"AF": 0.6123})))
    page = (tmp_path / "leaderboard.html").read_text()
    before, section = page.split('<section id="self-reported"')
    section, after = section.split("</section>", 1)
    tables = Page(page).data["later"]
    told_tables = {int(place) for place in re.findall(r'data-table="(\d+)"', section)}
    naming = {at for at, table in enumerate(tables) if "my-hospital" in "".join(strings(table))}
    assert naming
    assert naming <= told_tables
    assert any("0.612" in text for at in naming for text in strings(tables[at]))
    assert "self-reported" in section
    assert "not recomputable" in section
    assert "my-hospital" not in before
    assert "my-hospital" not in after.split('<section id="sources"')[0]
    assert "my-hospital" not in "".join(strings(Page(page).data["data"]))
    assert str(tmp_path) not in page
    table = (tmp_path / "leaderboard.md").read_text()
    assert "Self-reported results" in table
    rows = list(csv.DictReader((tmp_path / "self-reported.csv").read_text().splitlines()))
    assert {row["cohort"] for row in rows} == {"my-hospital"}
    assert [row["value"] for row in rows if (row["concept"], row["metric"]) == ("AF", "auroc")] == ["0.612"]
    assert "my-hospital" not in (tmp_path / "leaderboard.csv").read_text()


def test_simulated_hospitals_are_not_pooled_with_real_ones(tmp_path: Path) -> None:
    content = board_of(
        tmp_path,
        cell(record("net", "georgia", {"AF": 0.9})),
        told(record("net", "my-hospital", {"AF": 0.6}, simulated=True)),
    )
    (pooled,) = content["pooled_with_self_reported"]
    assert pooled["simulated"] is True
    assert pooled["recomputed"] is None
    assert "Simulated cohorts, not patients: self-reported" in (tmp_path / "leaderboard.html").read_text()


def test_internal_cells_that_are_told_are_not_pooled(tmp_path: Path) -> None:
    content = board_of(
        tmp_path, cell(record()), told(record("net", "my-hospital", {"AF": 0.99}, relation="internal"))
    )
    assert content["pooled_with_self_reported"] == []
    assert len(content["self_reported"]) == 1


def test_a_board_of_nothing_but_what_is_told(tmp_path: Path) -> None:
    content = board_of(tmp_path, told(record("net", "my-hospital"), "a"))
    assert content["cells"] == []
    assert content["pooled_with_self_reported"][0]["whole"]["cohorts"] == 1
    assert content["simulated"] is False


def test_the_board_is_not_written_over_a_run(tmp_path: Path) -> None:
    run = write_drawn(tmp_path / "run", [drawn(record())])
    with pytest.raises(UsageError, match=r"has a run\.json; name another folder"):
        write_board(joined(cell(record())), run)


# --- reading the sources


def test_runs_are_read_and_named_without_their_paths(tmp_path: Path) -> None:
    one = write_drawn(tmp_path / "here/run", [drawn(record("net", "georgia"))], name="run")
    two = write_drawn(tmp_path / "there/run", [drawn(record("net", "ningbo"))], name="run")
    found = gather([one, two, one])
    assert [(s.name, s.kind, s.cells) for s in found.sources] == [("run", "run", 1), ("run (2)", "run", 1)]
    assert not any(isinstance(one.draws, str) for one in found.cells)
    assert len(join(found, "board").records) == 2
    with pytest.raises(UsageError, match=r"No run\.json in .*, no manifest\.json of a submission"):
        gather([tmp_path / "nowhere"])
