"""A protocol chosen on the first screen: ranks are those of ``leadboard report --protocol`` of the run."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

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
from cohorts.errors import UnknownNameError
from tests.benchmark.report.first_screen import choice, matrix, opened, settle
from tests.benchmark.report.report_factory import drawn, record, write_drawn

DASH = "\N{EN DASH}"
OWN = OwnSets({}, {"near": ("georgia", "sph")})
COHORTS = ("georgia", "ningbo", "sph")
LEVELS = {
    ("chance", "as-is"): 0.5,
    ("net", "linear-probe-10"): 0.80,
    ("old", "linear-probe-10"): 0.72,
    ("twin", "linear-probe-10"): 0.797,
    ("net", "linear-probe-100"): 0.90,
    ("old", "linear-probe-100"): 0.82,
    ("rhythm", "linear-probe-100"): 0.85,
}
"""Mean AUROC of each model and protocol; the last knows nothing of blocks."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run in which ranks within a protocol are not those among all, with a cohort that one protocol has."""
    cells = []
    for at, ((model, protocol), level) in enumerate(LEVELS.items()):
        concepts = ("AF", "SB") if model == "rhythm" else ("AF", "SB", "LBBB", "RBBB")
        aurocs = {concept: level + 0.01 * place for place, concept in enumerate(concepts)}
        card = {"control_for": "any"} if model == "chance" else {}
        for cohort in (*COHORTS, *(["ptb-xl"] if protocol == "linear-probe-100" else [])):
            relation = "internal" if cohort == "ptb-xl" else "external"
            one = record(model, cohort, aurocs, protocol=protocol, relation=relation, card=card)
            cells.append(drawn(one, seed=at))
    path = write_drawn(tmp_path_factory.mktemp("protocols"), cells)
    write_report(path, own=OWN)
    return path


@pytest.fixture
def page(tab: Any, folder: Path) -> Iterator[Any]:
    with opened(tab, folder) as first_screen:
        yield first_screen


def ranks(shown: dict[str, dict[str, str]]) -> dict[str, str]:
    """Model -> its rank on the page."""
    return {model: cells["Rank"] for model, cells in shown.items()}


def test_a_chosen_protocol_is_ranked_alone(page: Any) -> None:
    everybody = ranks(matrix(page))
    assert everybody["net (linear-probe-10)"] == everybody["twin"] == "3"
    choice(page, "protocol").select_option("linear-probe-10")
    shown = matrix(page)
    assert ranks(shown) == {"net (linear-probe-10)": "1", "twin": "1", "old (linear-probe-10)": "3"}
    assert "ptb-xl" not in shown["twin"]
    assert page.locator(".matrix caption").inner_text().endswith(", of linear-probe-10 alone")
    choice(page, "protocol").select_option("")
    assert ranks(matrix(page)) == everybody
    assert page.locator(".matrix caption").inner_text().endswith(", all protocols together")


@pytest.mark.parametrize("metric", ["auroc", "auprc"])
@pytest.mark.parametrize("cohort_set", ["", "near"])
@pytest.mark.parametrize("concept_set", ["all shared", "rhythm", "conduction"])
def test_its_numbers_are_those_of_the_protocol_in_every_set(
    page: Any, folder: Path, concept_set: str, cohort_set: str, metric: Metric
) -> None:
    choice(page, "metric").select_option(metric)
    choice(page, "set").select_option("" if concept_set == "all shared" else concept_set)
    choice(page, "cohortset").select_option(cohort_set)
    run = one_run(folder)
    for protocol in ("linear-probe-10", "linear-probe-100"):
        choice(page, "protocol").select_option(protocol)
        shown = list(matrix(page).items())
        within = choose(concept_set, (), [cohort_set] if cohort_set else [], OWN, protocol)
        [board] = make_boards(run.plan, run.records, run.draws, run.lacking, metric=metric, within=within)
        ahead = statistics_of(board).next_hospital
        assert len(shown) == len(board.standings) == 3
        for standing, (name, cells) in zip(board.standings, shown, strict=True):
            assert name.split(" (")[0] == standing.entry.model
            assert cells["Rank"] == (DASH if standing.rank is None else str(standing.rank))
            if standing.cohorts and metric == "auroc":
                assert cells["Pooled over external cohorts"] == interval(ahead[standing.entry].macro)
            elif standing.cohorts:
                assert cells["Mean of the ranking"].startswith(number(standing.mean))


def test_a_call_that_names_the_protocol_writes_the_same_matrix(
    tab: Any, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    address = "#/?protocol=linear-probe-100&set=rhythm"
    with opened(tab, folder) as page:
        page.evaluate("hash => { location.hash = hash; }", address)
        page.wait_for_function("document.querySelector('[name=protocol]').value === 'linear-probe-100'")
        shown = matrix(page)
        rules = page.locator("ul.rules").first.text_content()
        page.get_by_role("link", name="rhythm").first.click()
        page.get_by_role("link", name="Leaderboard", exact=True).click()
        assert matrix(page) == shown
    run = shutil.copytree(folder, tmp_path / "run")
    monkeypatch.chdir(tmp_path)
    call = ["report", str(run), "--protocol", "linear-probe-100", "--concept-set", "rhythm"]
    assert app(call, exit_on_error=False, print_error=False, result_action="return_value") == 0
    [ranking] = json.loads((run / "leaderboard.json").read_text())["rankings"]
    assert ranking["protocol"] == "linear-probe-100"
    assert [str(row["rank"]) for row in ranking["rows"]] == list(ranks(shown).values()) == ["1", "2", "3"]
    with opened(tab, run) as asked:
        assert [list(row.values())[2:] for row in matrix(asked).values()] == [
            list(row.values())[2:] for row in shown.values()
        ]
        assert asked.locator("ul.rules").first.text_content() == rules
        expect(choice(asked, "protocol")).to_have_count(0)


def test_an_unknown_protocol_is_named_with_those_that_there_are(folder: Path) -> None:
    call = ["report", str(folder), "--protocol", "linear-prob-10"]
    with pytest.raises(UnknownNameError, match=r"Did you mean 'linear-probe-10'\?"):
        app(call, exit_on_error=False, print_error=False, result_action="return_value")


def go(page: Any, address: str) -> None:
    """Follow an address, as a link that somebody sent."""
    page.evaluate("hash => { location.hash = hash; }", address)
    page.reload()


def firsts(page: Any, where: str) -> list[str]:
    """First cells of the rows that are shown."""
    settle(page)
    found: list[str] = page.evaluate(
        """where => [...document.querySelectorAll(`${where} tbody tr`)].filter((row) => row.checkVisibility())
          .map((row) => row.cells[0].textContent.trim())""",
        where,
    )
    return found


def offered(page: Any, name: str) -> set[str]:
    """Give what can be chosen now."""
    settle(page)
    return set(choice(page, name).locator("option").all_inner_texts())


TEN = {"net (linear-probe-10)", "old (linear-probe-10)", "twin"}


@pytest.mark.parametrize(
    ("address", "table"),
    [
        ("cohort?cohort=georgia", "table.results"),
        ("concept?concept=AF", "details[open] table.results"),
        ("concept?concept=AF", "h3 + .scroll table.results"),
    ],
)
def test_views_list_the_models_of_the_chosen_protocol_alone(page: Any, address: str, table: str) -> None:
    go(page, f"#/{address}")
    everybody = firsts(page, table)
    assert len(everybody) > len(TEN) > 0
    choice(page, "protocol").select_option("linear-probe-10")
    assert set(firsts(page, table)) == TEN
    assert "protocol=linear-probe-10" in page.url
    assert "linear-probe-10" in page.locator(f"{table} caption").first.inner_text()
    page.reload()
    assert set(firsts(page, table)) == TEN
    page.locator("#view .only a").click()
    assert firsts(page, table) == everybody
    assert "protocol=" not in page.url
    expect(page.locator("#view .only")).to_have_count(0)


def test_a_cohort_without_the_protocol_says_so(page: Any) -> None:
    go(page, "#/cohort?cohort=ptb-xl&protocol=linear-probe-10")
    expect(page.get_by_text("No model was measured here by linear-probe-10.")).to_have_count(1)
    expect(page.locator("#view .only")).to_have_count(1)


def test_a_model_is_shown_under_the_chosen_protocol(page: Any) -> None:
    go(page, "#/model?entry=net/linear-probe-100")
    expect(choice(page, "entry").locator("option")).to_have_count(len(LEVELS))
    choice(page, "protocol").select_option("linear-probe-10")
    expect(page.locator("#view h2")).to_have_text("net (linear-probe-10)")
    assert offered(page, "entry") == TEN
    assert "entry=net%2Flinear-probe-10&" in page.url
    page.locator("#view .only a").click()
    expect(page.locator("#view h2")).to_have_text("net (linear-probe-10)")
    go(page, "#/model?entry=rhythm/linear-probe-100&protocol=as-is")
    expect(page.locator("#view h2")).to_have_text("chance")


def test_two_models_of_the_chosen_protocol_are_compared(page: Any) -> None:
    go(page, "#/compare?a=old/linear-probe-100&b=twin/linear-probe-10")
    choice(page, "protocol").select_option("linear-probe-10")
    expect(page.locator("#view h2")).to_have_text("old (linear-probe-10) against twin")
    assert offered(page, "a") == TEN
    assert "a=old%2Flinear-probe-10&b=twin%2Flinear-probe-10" in page.url
    page.get_by_role("button", name="Swap").click()
    expect(page.locator("#view h2")).to_have_text("twin against old (linear-probe-10)")
    choice(page, "protocol").select_option("as-is")
    expect(page.get_by_text("There are no two models with as-is to compare.")).to_have_count(1)
    page.locator("#view .only a").click()
    expect(page.locator("#view h2")).to_have_text("twin against old (linear-probe-10)")


RANKED_BY = ("AUROC", "AUPRC")


def rankings(page: Any) -> dict[str, tuple[list[list[str]], list[str], str]]:
    """Metric -> cells of the rows of its ranking that are shown, what stands beneath, and its caption."""
    settle(page)
    found: list[Any] = page.evaluate(
        """() => [...document.querySelectorAll("#ranking .choice")].map((section) => [
          [...section.querySelectorAll("tbody tr")].filter((row) => row.checkVisibility())
            .map((row) => [...row.cells].map((cell) => cell.firstChild?.textContent.trim() ?? "")),
          [...section.querySelectorAll(".rules li")].map((rule) => rule.textContent),
          section.querySelector("caption").textContent])"""
    )
    return dict(zip(RANKED_BY, map(tuple, found), strict=True))


@pytest.mark.parametrize("protocol", ["as-is", "linear-probe-10", "linear-probe-100"])
def test_the_tables_of_rankings_are_those_of_the_chosen_protocol(
    tab: Any, folder: Path, tmp_path: Path, protocol: str
) -> None:
    """Row by row as a report of that protocol alone writes them, and its JSON."""
    with opened(tab, folder) as page:
        go(page, "#/tables")
        of_all = rankings(page)
        page.locator("#ranking .choice").first.get_by_role("button", name="Model").click()
        assert rankings(page) != of_all
        choice(page, "protocol").select_option(protocol)
        expect(page.locator("#ranking caption").first).to_contain_text(f", {protocol} alone")
        shown = rankings(page)
        choice(page, "protocol").select_option("")
        expect(page.locator("#ranking caption").first).not_to_contain_text("alone")
        assert rankings(page) == of_all
    run = shutil.copytree(folder, tmp_path / "run")
    call = ["report", str(run), "--protocol", protocol]
    assert app(call, exit_on_error=False, print_error=False, result_action="return_value") == 0
    [ranking] = json.loads((run / "leaderboard.json").read_text())["rankings"]
    assert [(row[0], row[2]) for row in shown["AUROC"][0]] == [
        (one["model"], DASH if one["rank"] is None else str(one["rank"])) for one in ranking["rows"]
    ]
    with opened(tab, run) as asked:
        go(asked, "#/tables")
        alone = rankings(asked)
    for metric in RANKED_BY:
        assert shown[metric][0] == alone[metric][0]
        assert shown[metric][2] == alone[metric][2]
    assert shown["AUROC"][1] == alone["AUROC"][1]


def test_what_has_no_rank_within_the_chosen_protocol_is_not_sorted_by_another(
    tab: Any, folder: Path, tmp_path: Path
) -> None:
    """Made up in the numbers of the page: the first of the protocol has a rank among all models alone."""
    text = (folder / "leaderboard.html").read_text()
    before, start, rest = text.partition('<script type="application/json" id="data">')
    content, end, after = rest.partition("</script>")
    numbers = json.loads(content)
    for board in numbers["boards"]:
        first = next(row for row in board["rows"] if numbers["entries"][row["entry"]]["protocol"] == "as-is")
        assert first["rank"] is not None
        first["alone"] = None
    (tmp_path / "leaderboard.html").write_text(before + start + json.dumps(numbers) + end + after)
    with opened(tab, tmp_path) as page:
        go(page, "#/tables")
        for protocol in ("as-is", ""):
            choice(page, "protocol").select_option(protocol)
            settle(page)
            found = page.evaluate(
                """() => [...document.querySelectorAll("#ranking .choice tbody tr")]
                  .map(({ cells }) => [cells[2].textContent.trim(), cells[2].dataset.sort])"""
            )
            assert not protocol or (DASH, DASH) in map(tuple, found)
            assert all(sort in (text, None) for text, sort in found)


def test_tables_with_protocols_show_the_chosen_one(page: Any) -> None:
    go(page, "#/tables")
    ranking = "#ranking section:first-of-type table"
    assert len(firsts(page, ranking)) == len(LEVELS)
    grid = page.locator("details.later", has_text="sph: all records")
    grid.locator("summary").click()
    expect(grid.locator("th.group")).to_have_count(len(LEVELS))
    choice(page, "protocol").select_option("linear-probe-10")
    assert sorted(firsts(page, ranking)) == ["net", "old", "twin"]
    expect(grid.locator("th.group")).to_have_count(3)
    empty = page.locator("details.later", has_text="ptb-xl: test fold")
    empty.locator("summary").click()
    expect(empty.locator("p")).to_have_text("Nothing here is of linear-probe-10.")
    averages = page.locator("details.later", has_text="Macro averages, one row per cohort and model")
    averages.locator("summary").click()
    column = [head.strip() for head in averages.locator("thead th").all_inner_texts()].index("Protocol")
    shown = averages.locator("tbody tr:visible")
    expect(shown).to_have_count(3 * len(COHORTS))
    assert {row.locator("td").nth(column - 1).inner_text() for row in shown.all()} == {"linear-probe-10"}
    page.evaluate("() => { location.hash = '#problems'; }")
    expect(page.locator("#view .only")).to_have_count(1)
    page.locator("#view .only a").click()
    assert len(firsts(page, ranking)) == len(LEVELS)
    expect(empty.locator("table")).to_have_count(1)


def test_the_choice_goes_along_with_every_link(page: Any) -> None:
    choice(page, "protocol").select_option("linear-probe-10")
    for view in ("Models", "Cohorts", "Concepts", "Compare", "All tables", "Leaderboard"):
        page.get_by_role("navigation", name="Pages").get_by_role("link", name=view, exact=True).click()
        assert "protocol=linear-probe-10" in page.url
        expect(choice(page, "protocol")).to_have_value("linear-probe-10")
        expect(page.locator("#view .only a")).to_have_text("Show all protocols")
