"""A board of many concepts and cohorts: what a phone shows of it first, and that paper has all of it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import expect

from benchmark.exchange.joining import one_run
from benchmark.report.board_statistics import statistics_of
from benchmark.report.ranking import make_boards
from benchmark.report.text import number
from benchmark.report.writing import write_report
from cohorts.catalogue import measured_cards
from cohorts.ontology import load_ontology
from tests.benchmark.report.first_screen import choice, opened
from tests.benchmark.report.report_factory import drawn, record, write_drawn

CONCEPTS = list(load_ontology().concepts.index[:40])
COHORTS = list(measured_cards())[:14]
A4_INCHES = (8.27, 11.69)
MARGINS = 20
"""Of both sides of the sheet together, in millimetres: `@page` of the style."""
VIEWS = (
    "",
    "model?entry=net/as_is",
    "cohort?cohort=" + COHORTS[0],
    "concept?concept=AF",
    "compare",
    "tables",
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    cells = []
    for at, (model, level) in enumerate((("chance", 0.55), ("net", 0.80), ("old", 0.70))):
        card = {"control_for": "any"} if model == "chance" else {}
        for cohort in COHORTS:
            aurocs = {concept: level + 0.19 * (7 * place % 40) / 40 for place, concept in enumerate(CONCEPTS)}
            cells.append(drawn(record(model, cohort, aurocs, card=card), seed=at))
    path = write_drawn(tmp_path_factory.mktemp("many"), cells)
    write_report(path)
    return path


@pytest.fixture
def page(tab: Any, folder: Path) -> Iterator[Any]:
    with opened(tab, folder) as first_screen:
        yield first_screen


def go(page: Any, view: str) -> None:
    page.evaluate("view => { location.hash = `#/${view}`; }", view)
    page.reload()


def concepts(page: Any) -> Any:
    """Rows of the concepts of a model that are shown."""
    return page.locator("#view .matrix tbody tr:visible")


def test_a_phone_shows_ten_concepts_and_the_rest_when_asked(page: Any) -> None:
    page.set_viewport_size({"width": 390, "height": 844})
    go(page, VIEWS[1])
    expect(concepts(page)).to_have_count(10)
    more = page.locator("#view .scroll:has(.matrix) + .more")
    expect(more).to_have_text(f"Show {len(CONCEPTS) - 10} more")
    last = page.locator("#view .matrix tbody tr:visible").last.bounding_box()
    assert last["y"] + last["height"] <= more.bounding_box()["y"], "what follows lies beneath the rows"
    page.evaluate("() => scrollTo(0, 0)")
    assert page.evaluate("document.documentElement.scrollHeight") < 10_000
    more.click()
    expect(concepts(page)).to_have_count(len(CONCEPTS))
    expect(more).to_have_count(0)
    expect(concepts(page).nth(10).locator("th a")).to_be_focused()
    after = page.locator("#view .matrix ~ .legend, #view .scroll:has(.matrix) ~ .legend").first.bounding_box()
    last = concepts(page).last.bounding_box()
    assert last["y"] + last["height"] <= after["y"]


def test_what_is_pooled_stays_in_sight(page: Any) -> None:
    page.set_viewport_size({"width": 390, "height": 844})
    go(page, VIEWS[1])
    expect(page.locator("#view .results").first.locator("tbody tr:visible")).to_have_count(11)
    expect(page.locator("#view .results th", has_text="Pooled: the next hospital")).to_be_visible()


def test_wide_screens_and_paper_have_every_row(page: Any) -> None:
    go(page, VIEWS[1])
    expect(concepts(page)).to_have_count(len(CONCEPTS))
    expect(page.locator("#view .more:visible")).to_have_count(0)
    page.set_viewport_size({"width": 390, "height": 844})
    expect(concepts(page)).to_have_count(10)
    page.emulate_media(media="print")
    expect(concepts(page)).to_have_count(len(CONCEPTS))
    expect(page.locator(".more:visible")).to_have_count(0)


def test_concepts_are_found_and_put_in_order_and_the_address_keeps_both(page: Any, folder: Path) -> None:
    run = one_run(folder)
    [board] = make_boards(run.plan, run.records, run.draws, run.lacking)
    ahead = next(one for entry, one in statistics_of(board).next_hospital.items() if entry.model == "net")
    pooled = {concept: one.value for concept, one in ahead.concepts.items()}
    falling = sorted(CONCEPTS, key=lambda concept: -pooled[concept])
    go(page, VIEWS[1])
    said = page.locator("#view p", has_text="Highest:").inner_text()
    assert [(one, value) for one, value in re.findall(r"([\w/-]+) (\d\.\d{3})", said)] == [
        (concept, number(pooled[concept])) for concept in [*falling[:3], *falling[:-4:-1]]
    ]
    choice(page, "order").select_option("low")
    expect(concepts(page).first.locator("th")).to_have_text(re.compile(f"^{falling[-1]}\\b"))
    choice(page, "order").select_option("high")
    expect(concepts(page).first.locator("th")).to_have_text(re.compile(f"^{falling[0]}\\b"))
    expect(page.locator("#view .matrix caption")).to_contain_text("highest first")
    choice(page, "search").fill("fibrillation")
    expect(concepts(page)).to_have_count(sum("fibrillation" in name for name in _names()))
    expect(choice(page, "search")).to_be_focused()
    assert "order=high" in page.url
    assert "search=fibrillation" in page.url
    page.reload()
    expect(choice(page, "search")).to_have_value("fibrillation")
    choice(page, "search").fill("no such concept")
    expect(page.get_by_text("No concept is like that.")).to_have_count(1)


def _names() -> list[str]:
    return [str(name).lower() for name in load_ontology().concepts.loc[CONCEPTS, "name"]]


@pytest.mark.parametrize("view", VIEWS)
def test_every_view_is_printed_on_a4_with_no_table_off_the_sheet(page: Any, view: str) -> None:
    """As a browser prints it: what is folded is opened, and nothing is there to be chosen."""
    go(page, view)
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    page.emulate_media(media="print")
    wide, high = max(A4_INCHES) * 96, min(A4_INCHES) * 96
    page.set_viewport_size({"width": int(wide - MARGINS / 25.4 * 96), "height": int(high)})
    off = page.evaluate(
        """() => [...document.querySelectorAll("table, figure, svg, p")]
          .filter((one) => one.checkVisibility() && one.getBoundingClientRect().right > innerWidth + 1)
          .map((one) => one.outerHTML.slice(0, 200))"""
    )
    assert off == []
    shut = page.locator("details:not([open])")
    assert [one for one in shut.all() if one.is_visible()] == []
    for control in ("select", "input", "nav", ".more", ".skip"):
        expect(page.locator(f"{control}:visible")).to_have_count(0)
    page.emulate_media(media="null")
    pdf = page.pdf(format="A4", prefer_css_page_size=True)
    assert pdf.startswith(b"%PDF-")
    sheets = {tuple(map(float, one)) for one in re.findall(rb"/MediaBox \[0 0 ([\d.]+) ([\d.]+)\]", pdf)}
    assert {(round(width / 72, 1), round(height / 72, 1)) for width, height in sheets} == {(11.7, 8.3)}


def test_after_printing_what_was_folded_is_folded_again(page: Any) -> None:
    folded = page.locator("#view details:not([open])")
    before = folded.count()
    assert before > 0
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    expect(folded).to_have_count(0)
    page.evaluate("dispatchEvent(new Event('afterprint'))")
    expect(folded).to_have_count(before)
