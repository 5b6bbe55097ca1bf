"""Ranks within sets on the first screen: what ``leadboard report --concept-set`` says of the same run."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from statistics import fmean
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import expect

from benchmark.cli import app
from benchmark.exchange.joining import one_run
from benchmark.metrics.names import Metric
from benchmark.report.board_statistics import statistics_of
from benchmark.report.ranking import make_boards
from benchmark.report.sets import OwnSets, choose
from benchmark.report.text import interval, number
from benchmark.report.writing import write_report
from tests.benchmark.report.first_screen import choice, matrix, opened
from tests.benchmark.report.report_factory import drawn, record, write_drawn

DASH = "\N{EN DASH}"
OWN = OwnSets({"<b>ours": ("AF", "RBBB")}, {"near": ("georgia", "sph")})
COHORTS = ("georgia", "ningbo", "sph")
SETS = ("all shared", "rhythm", "conduction", "<b>ours")
KNOWS = {
    "wide": ("AF", "SB", "LBBB", "RBBB", "NORM"),
    "other": ("AF", "SB", "LBBB", "RBBB"),
    "blocks": ("LBBB", "RBBB"),
    "chance": ("AF", "SB", "LBBB", "RBBB"),
}
"""The last is a control: it sets the standard."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run in which one model knows more than is asked for, and one but a part of it."""
    rng = np.random.default_rng(5)
    cells = []
    for at, (model, concepts) in enumerate(KNOWS.items()):
        for cohort in COHORTS:
            level = 0.5 if model == "chance" else 0.72 + 0.06 * at
            aurocs = {concept: float(rng.uniform(level, level + 0.15)) for concept in concepts}
            card = {"control_for": "any"} if model == "chance" else {}
            cells.append(drawn(record(model, cohort, aurocs, card=card), seed=at))
    path = write_drawn(tmp_path_factory.mktemp("sets"), cells)
    write_report(path, own=OWN)
    return path


@pytest.fixture
def page(tab: Any, folder: Path) -> Iterator[Any]:
    with opened(tab, folder) as first_screen:
        yield first_screen


def choose_sets(page: Any, concept_set: str, cohort_set: str, metric: str) -> None:
    choice(page, "metric").select_option(metric)
    choice(page, "set").select_option("" if concept_set == "all shared" else concept_set)
    choice(page, "cohortset").select_option(cohort_set)


@pytest.mark.parametrize("metric", ["auroc", "auprc"])
@pytest.mark.parametrize("cohort_set", ["", "near"])
@pytest.mark.parametrize("concept_set", SETS)
def test_ranks_and_pooled_values_are_those_within_the_named_sets(
    page: Any, folder: Path, concept_set: str, cohort_set: str, metric: Metric
) -> None:
    choose_sets(page, concept_set, cohort_set, metric)
    shown = matrix(page)
    page.reload()
    assert matrix(page) == shown

    run = one_run(folder)
    within = choose(concept_set, (), [cohort_set] if cohort_set else [], OWN)
    [board] = make_boards(run.plan, run.records, run.draws, run.lacking, metric=metric, within=within)
    ahead = statistics_of(board).next_hospital
    assert [standing.entry.model for standing in board.standings] == list(shown)
    for standing in board.standings:
        cells = shown[standing.entry.model]
        assert cells["Rank"] == (DASH if standing.rank is None else str(standing.rank))
        if not standing.cohorts:
            continue
        if metric == "auroc":
            assert cells["Pooled over external cohorts"] == interval(ahead[standing.entry].macro)
        else:
            assert cells["Mean of the ranking"].startswith(number(standing.mean))
        for one in standing.external:
            if one.cohort.id in cells:
                assert cells[one.cohort.id] == number(board.macro_of(one).value)


def test_a_call_that_names_the_sets_writes_the_same_matrix(
    tab: Any, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with opened(tab, folder) as page:
        choose_sets(page, "rhythm", "near", "auroc")
        shown = matrix(page)
    run = shutil.copytree(folder, tmp_path / "run")
    monkeypatch.chdir(tmp_path)
    Path("leadboard.toml").write_text('cohort_sets.near = ["georgia", "sph"]\n')
    call = ["report", str(run), "--concept-set", "rhythm", "--cohort", "near"]
    assert app(call, exit_on_error=False, print_error=False, result_action="return_value") == 0
    [ranking] = json.loads((run / "leaderboard.json").read_text())["rankings"]
    assert {row["model"]: row["rank"] for row in ranking["rows"]} == {
        model: None if cells["Rank"] == DASH else int(cells["Rank"]) for model, cells in shown.items()
    }
    with opened(tab, run) as asked:
        assert matrix(asked) == shown
        expect(choice(asked, "set").locator("option").first).to_have_text("rhythm (2)")


@pytest.mark.parametrize("concept_set", SETS)
def test_a_cell_is_the_plain_mean_over_the_set(page: Any, folder: Path, concept_set: str) -> None:
    values = {
        (one["model"], one["cohort"], one["concept"]): one["value"]
        for one in json.loads((folder / "leaderboard.json").read_text())["estimates"]
        if one["metric"] == "auroc"
    }
    choice(page, "set").select_option("" if concept_set == "all shared" else concept_set)
    asked = {
        "all shared": ("AF", "SB", "LBBB", "RBBB"),
        "rhythm": ("AF", "SB"),
        "conduction": ("LBBB", "RBBB"),
        "<b>ours": ("AF", "RBBB"),
    }[concept_set]
    shown = matrix(page)
    for model, knows in KNOWS.items():
        over = [concept for concept in asked if concept in knows]
        for cohort in COHORTS:
            mean = fmean(values[model, cohort, concept] for concept in over) if over else None
            assert shown[model].get(cohort, DASH) == number(mean)
    assert shown["wide"]["Rank"] != DASH
    assert (shown["blocks"]["Rank"] == DASH) == (concept_set != "conduction")


def test_who_answers_none_of_a_set_is_absent_and_costs_nobody_anything(page: Any) -> None:
    everybody = matrix(page)
    choice(page, "set").select_option("rhythm")
    page.locator("tr.absent").wait_for()
    expect(page.locator("tr.absent th a")).to_have_text(["blocks"])
    assert "absent from 'rhythm'" in page.locator("tr.absent").inner_text()
    assert {m for m, cells in matrix(page).items() if cells["Rank"] != DASH} == {"wide", "other", "chance"}
    assert everybody["blocks"]["Rank"] == DASH
    assert "without AF, SB" in page.locator("tr.absent .why").inner_text()


def test_a_set_offers_its_own_concepts_and_says_what_the_ranks_are_of(page: Any) -> None:
    choice(page, "set").select_option("conduction")
    concepts = choice(page, "concept").locator("option").evaluate_all("all => all.map((one) => one.value)")
    assert set(concepts) == {"", "LBBB", "RBBB"}
    caption = page.locator(".matrix caption").inner_text()
    assert caption == "Macro AUROC over 'conduction' (2); ranks are over 3 external cohorts"
    choice(page, "cohortset").select_option("near")
    assert (
        page.locator(".matrix caption").inner_text().endswith("ranks are over 2 external cohorts of 'near'")
    )
    assert "ningbo" not in page.locator(".matrix thead").inner_text()
    offered = choice(page, "set").locator("option").all_inner_texts()
    assert offered == ["all shared (4)", "rhythm (2)", "conduction (2)", "<b>ours (2)"]


def test_views_keep_the_sets_and_a_strange_one_is_the_first(page: Any) -> None:
    choice(page, "set").select_option("rhythm")
    page.get_by_role("link", name="wide").click()
    page.get_by_role("link", name="Leaderboard", exact=True).click()
    expect(choice(page, "set")).to_have_value("rhythm")
    page.evaluate("location.hash = '#/?set=__proto__&cohortset=constructor'")
    page.wait_for_function("document.querySelector('[name=set]').value === ''")
    assert page.locator(".matrix caption").inner_text().startswith("Macro AUROC over all shared concepts (4)")
