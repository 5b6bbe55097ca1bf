"""What spares a reader a question: empty rows folded, scales, intervals if there is room, notes once."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from importlib.resources import files
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import expect

from benchmark.report.text import number
from benchmark.report.writing import write_report
from tests.benchmark.report.first_screen import choice, opened, settle
from tests.benchmark.report.report_factory import concept, drawn, record, write_drawn

AUROCS = {"net": (0.9, 0.89, 0.88), "old": (0.6, 0.45, 0.52)}
COHORTS = ("georgia", "ludb", "ningbo")
EMPTY = ("sph", "ptb")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two models: one near chance, whose intervals go on below it; two cohorts have too few positives."""
    cells = []
    for step, (model, aurocs) in enumerate(AUROCS.items()):
        for at, (cohort, auroc) in enumerate(zip(COHORTS, aurocs, strict=True)):
            one = record(model, cohort, {"AF": concept(auroc, positives=20), "LBBB": auroc - 0.02})
            cells.append(drawn(one, seed=10 * at + step))
        cells += [drawn(record(model, cohort, {"AF": concept(0.8, positives=3)})) for cohort in EMPTY]
    path = tmp_path_factory.mktemp("board")
    write_report(write_drawn(path, cells))
    return path


@pytest.fixture
def page(tab: Any, folder: Path) -> Iterator[Any]:
    with opened(tab, folder) as first_screen:
        yield first_screen


def go(page: Any, address: str) -> None:
    page.evaluate("hash => { location.hash = hash; }", f"#/{address}")
    page.reload()


def firsts(page: Any, table: Any) -> list[str]:
    settle(page)
    return [text.strip() for text in table.locator("tbody tr > :first-child").all_inner_texts()]


@pytest.mark.parametrize("metric", ["auroc", "auprc"])
def test_cohorts_on_which_two_models_cannot_be_compared_are_one_line(page: Any, metric: str) -> None:
    go(page, f"compare?a=net/as_is&b=old/as_is&metric={metric}")
    rows = firsts(page, page.locator("#view table.results"))
    assert rows == [*COHORTS, *(["Pooled"] if metric == "auroc" else [])]
    said = page.locator("#view p.rules", has_text="No difference on").inner_text()
    assert said == "No difference on sph, ptb: no concept is eligible for both models."
    assert (
        "400 resamples, seed 7" in page.locator("#view p.rules", has_text="Above 0, A is better").inner_text()
    )


def test_cohorts_without_a_value_of_a_model_are_folded_and_named(page: Any) -> None:
    go(page, "model?entry=net/as_is")
    assert firsts(page, page.locator("#view table.results").first) == [*COHORTS, "Pooled: the next hospital"]
    fold = page.locator("#view details.without")
    expect(fold.locator("summary")).to_have_text("2 cohorts without a value: sph, ptb")
    fold.locator("summary").click()
    assert firsts(page, fold.locator("table")) == list(EMPTY)
    expect(fold.locator("ol.notes li")).to_have_text(
        ["No concept has at least 10 positives and 10 negatives."]
    )


def test_the_first_cohort_that_is_shown_has_a_result(page: Any) -> None:
    go(page, "cohort")
    expect(page.locator("#view table.results")).to_have_count(1)


def test_a_note_of_many_rows_stands_once_beneath_them(page: Any) -> None:
    go(page, "concept?concept=AF")
    opened_one = page.locator("#view .each details[open]").first
    rows = opened_one.locator("tbody tr")
    marks = rows.locator("td.pooled sup").all_inner_texts()
    notes = opened_one.locator("ol.notes li").all_inner_texts()
    assert len(set(notes)) == len(notes)
    assert {int(one) for mark in marks for one in mark.split(",")} == set(range(1, len(notes) + 1))


def test_cells_have_their_intervals_where_there_is_room(page: Any, folder: Path) -> None:
    estimates = json.loads((folder / "leaderboard.json").read_text())["estimates"]
    wanted = {
        f"[{number(one['low'])}, {number(one['high'])}]"
        for one in estimates
        if (one["concept"], one["metric"]) == ("macro", "auroc") and one["low"] is not None
    }
    shown = page.locator(".matrix.home .range:visible")
    page.set_viewport_size({"width": 1920, "height": 900})
    expect(shown).to_have_count(len(AUROCS) * len(COHORTS))
    assert set(shown.all_inner_texts()) == wanted
    page.set_viewport_size({"width": 390, "height": 844})
    expect(shown).to_have_count(0)
    page.emulate_media(media="print")
    expect(shown).to_have_count(len(AUROCS) * len(COHORTS))


def test_a_line_that_goes_on_below_the_scale_has_a_head_there_and_the_key_says_so(page: Any) -> None:
    heads = page.locator(".matrix tbody tr", has=page.locator(".forest .further"))
    expect(heads).to_have_count(1)
    expect(heads.locator("th")).to_have_text("old")
    expect(page.locator(".key").first).to_contain_text("goes on below the scale")
    choice(page, "search").fill("net")
    expect(page.locator(".key").first).not_to_contain_text("goes on below the scale")


def test_the_key_of_the_marks_names_those_that_are_there(page: Any) -> None:
    expect(page.locator(".legend")).not_to_contain_text("few:")
    go(page, "model?entry=net/as_is")
    expect(page.locator(".legend")).to_contain_text("few: too few positives or negatives to count")
    expect(page.locator(".legend")).not_to_contain_text("undisclosed")


@pytest.mark.parametrize("view", ["model?entry=old/as_is", "compare", "concept?concept=AF"])
def test_what_is_drawn_has_a_scale_in_the_head_of_its_column(page: Any, view: str) -> None:
    go(page, view)
    tables = page.locator("#view table.results:visible")
    assert tables.count() > 0
    for table in tables.all():
        assert table.locator("thead svg.forest text").count() == 3


def test_letters_of_marks_that_lie_together_stand_apart(page: Any) -> None:
    code = (files("benchmark.report.page") / "static" / "plot.js").read_text()
    constants, function = code[: code.index("// A frame")], code[code.index("function lettered") :]
    used = constants + function[: function.index("\n}\n") + 3]
    at = page.evaluate(
        "marks => { const svg = (tag, made, ...content) => ({ tag, ...made, content }); "
        + used
        + " return lettered(marks).map(([, text]) => [text.content[0], text.x, text.y]); }",
        [[0.01, 0.97 - 0.01 * place, letter] for place, letter in enumerate("abcdef")],
    )
    assert [letter for letter, *_ in at] == list("abcdef")
    heights = [y for *_, y in at]
    assert all(below - above >= 11 for above, below in pairwise(heights))


def test_on_paper_the_cohorts_of_a_concept_stand_side_by_side(page: Any) -> None:
    go(page, "concept?concept=AF")
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    page.emulate_media(media="print")
    lefts = {round(one.bounding_box()["x"]) for one in page.locator("#view .each > details").all()}
    assert len(lefts) == 2


def test_intervals_of_the_tables_are_not_broken_where_there_is_room(page: Any) -> None:
    go(page, "tables")
    page.set_viewport_size({"width": 1280, "height": 900})
    broken = page.evaluate(
        """() => [...document.querySelectorAll("#ranking .ends")]
          .filter((one) => one.getClientRects().length > 1).length"""
    )
    assert broken == 0
    texts = page.locator("#ranking .ends").all_inner_texts()
    assert texts
    assert all(re.fullmatch(r"\[.*\]", text) for text in texts)


def test_the_method_is_among_the_pages_and_leads_to_what_is_said_beside_the_numbers(page: Any) -> None:
    page.get_by_role("navigation", name="Pages").get_by_role("link", name="Method").click()
    section = page.locator("#method")
    expect(section).to_be_in_viewport()
    for link in section.locator("p a").all():
        expect(page.locator(link.get_attribute("href"))).to_be_visible()
