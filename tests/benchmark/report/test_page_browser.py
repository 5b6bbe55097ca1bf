"""The page in a browser: its numbers, its choices, names that are hostile, and whoever has no mouse."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import expect

from benchmark.report.text import number
from benchmark.report.writing import write_report
from tests.benchmark.report.first_screen import choice, matrix, models, on_the_screen, opened
from tests.benchmark.report.report_factory import concept, drawn, record, write_drawn

axe_api = pytest.importorskip("axe_playwright_python.sync_playwright", reason="needs axe-playwright-python")

HOSTILE = "<img src=x onerror=alert(1)>"
COHORTS = ("home", "georgia", "ningbo", HOSTILE)
AUROCS = {
    "net": (0.97, 0.91, 0.84, 0.7),
    "old": (0.93, 0.89, 0.86, 0.6),
    "control": (0.5, 0.501, 0.499, 0.45),
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A board with internal, external and simulated cells, few positives and hostile names."""
    cells = []
    for model, aurocs in AUROCS.items():
        for at, (cohort, auroc) in enumerate(zip(COHORTS, aurocs, strict=True)):
            found = {
                "AF": auroc,
                "LBBB": auroc - 0.03,
                "WPW": concept(auroc, positives=4),
                HOSTILE: concept(None, positives=0, n=0) if cohort == "georgia" else auroc - 0.01,
            }
            one = record(
                model,
                cohort,
                found,
                relation="internal" if at == 0 else "external",
                facts={"name": HOSTILE, "version": HOSTILE},
                card={"description": HOSTILE, "citation": HOSTILE},
            )
            cells.append(drawn(one, seed=at))
    cells.append(drawn(record("net", "sim", {"AF": 0.77}, simulated=True)))
    path = tmp_path_factory.mktemp("board")
    write_report(write_drawn(path, cells, name=HOSTILE))
    return path


@pytest.fixture(scope="module")
def content(folder: Path) -> dict[str, Any]:
    found = json.loads((folder / "leaderboard.json").read_text())
    assert isinstance(found, dict)
    return found


@pytest.fixture
def page(tab: Any, folder: Path) -> Iterator[Any]:
    """The first screen; at the end nothing was complained about and nobody was asked for anything."""
    with opened(tab, folder) as first_screen:
        yield first_screen


@pytest.mark.parametrize("metric", ["auroc", "auprc"])
@pytest.mark.parametrize("chosen", ["macro", "AF", "WPW", HOSTILE])
def test_numbers_are_those_of_the_records(
    page: Any, content: dict[str, Any], metric: str, chosen: str
) -> None:
    choice(page, "metric").select_option(metric)
    choice(page, "concept").select_option("" if chosen == "macro" else chosen)
    shown = matrix(page)
    expected = [
        one
        for one in content["estimates"]
        if (one["metric"], one["concept"], one["simulated"]) == (metric, chosen, False)
    ]
    assert len(expected) == len(AUROCS) * len(COHORTS)
    checked = 0
    for one in expected:
        if one["value"] is not None:
            assert shown[one["model"]][one["cohort"]] == number(one["value"])
            checked += 1
        else:
            assert one["cohort"] not in shown[one["model"]]
    columns = {name for name in shown["net"] if name in COHORTS}
    assert checked == len(columns) * len(AUROCS) >= 9


def test_the_next_hospital_is_what_the_tables_say(page: Any) -> None:
    shown = matrix(page)
    tables = json.loads(page.locator("#later").text_content())
    table = next(t for t in tables if t["caption"].startswith("At the next hospital, from"))
    texts = {row[0]: [c if isinstance(c, str) else c[0] for c in row] for row in table["rows"]}
    assert set(texts) == set(AUROCS)
    for model, row in texts.items():
        assert shown[model]["Pooled over external cohorts"] in row


def test_where_the_mean_of_the_ranking_is_shown_it_says_so(page: Any, content: dict[str, Any]) -> None:
    choice(page, "metric").select_option("auprc")
    rows = content["rankings_by_the_other_metric"][0]["rows"]
    shown = matrix(page)
    for row in rows:
        text = shown[row["model"]]["Mean of the ranking"]
        assert text.startswith(number(row["external_macro_auprc_mean"]))
    choice(page, "metric").select_option("auroc")
    choice(page, "cohorts").select_option("simulated")
    assert "Simulated recordings, not patients." in page.locator("#view").inner_text()
    assert page.locator(".matrix caption").inner_text().startswith("Simulated cohorts, not patients")
    assert matrix(page)["net"]["sim (simulated)"] == "0.770"


def test_what_is_not_pooled_is_a_dash_with_its_reason(page: Any) -> None:
    choice(page, "concept").select_option("WPW")
    assert {row["Pooled over external cohorts"] for row in matrix(page).values()} == {"\N{EN DASH}"}
    page.locator("td.pooled").first.hover()
    assert "two external cohorts or more" in page.locator("#tip").inner_text()
    assert (
        "ranks are those of the macro AUROC over all shared concepts"
        in page.locator(".matrix caption").inner_text()
    )


def test_a_cell_tells_its_interval_counts_relation_and_seed(page: Any, content: dict[str, Any]) -> None:
    choice(page, "concept").select_option("AF")
    one = next(
        e
        for e in content["estimates"]
        if (e["model"], e["cohort"], e["concept"], e["metric"]) == ("net", "home", "AF", "auroc")
    )
    page.locator(".matrix tbody tr", has_text="net").locator("td").nth(2).hover()
    told = page.locator("#tip").inner_text()
    assert f"{number(one['value'])} [{number(one['low'])}, {number(one['high'])}]" in told
    for fact in ("net on home", "20 (20.0 %)", "internal: trained on it", "90 patients", "seed 7"):
        assert fact in told
    page.keyboard.press("Escape")
    assert page.locator("#tip").is_hidden()


def test_sorting_turns_and_stays_where_the_keyboard_is(page: Any) -> None:
    assert models(page) == ["net", "old", "control"]
    head = page.get_by_role("button", name="ningbo")
    head.press("Enter")
    assert models(page) == ["old", "net", "control"]
    assert page.locator("th[aria-sort=descending]").text_content() == "ningbo"
    assert page.evaluate("document.activeElement.textContent") == "ningbo"
    page.keyboard.press("Enter")
    assert models(page) == ["control", "net", "old"]
    page.get_by_role("button", name="Model").click()
    assert models(page) == ["control", "net", "old"]


def test_search_keeps_what_is_typed_and_the_address_keeps_every_choice(page: Any) -> None:
    choice(page, "search").press_sequentially("nE")
    assert models(page) == ["net"]
    choice(page, "metric").select_option("auprc")
    choice(page, "concept").select_option(HOSTILE)
    page.get_by_role("button", name="home").click()
    before = matrix(page)
    page.reload()
    assert matrix(page) == before
    expect(choice(page, "search")).to_have_value("nE")
    expect(choice(page, "concept")).to_have_value(HOSTILE)
    assert page.locator("th[aria-sort=descending]").text_content() == "home"
    page.go_back()
    expect(choice(page, "concept")).to_have_value(HOSTILE)
    choice(page, "search").fill("nobody")
    expect(page.get_by_text("No model is like that.")).to_be_visible()


@pytest.mark.parametrize(
    "hash_", ["#/constructor?metric=constructor&sort=__proto__", "#/?concept=%3Cb%3E&cohorts=x", "#/%", "#"]
)
def test_a_strange_address_shows_the_leaderboard(page: Any, hash_: str) -> None:
    page.evaluate("hash => { location.hash = hash; }", hash_)
    page.reload()
    assert sorted(models(page)) == sorted(AUROCS)


def test_hostile_names_are_text_in_every_view(page: Any) -> None:
    assert HOSTILE in page.locator("h1").inner_text()
    assert HOSTILE in page.locator(".matrix thead").inner_text()
    page.get_by_role("link", name="All tables").click()
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert "not annotated here: " + HOSTILE in page.locator("#concepts").inner_text()
    expect(page.locator("img, [onerror], b, iframe")).to_have_count(0)


def test_print_has_the_matrix_and_every_table_that_is_opened(page: Any) -> None:
    page.emulate_media(media="print")
    expect(page.locator(".matrix")).to_be_visible()
    assert page.locator("form.choices").is_hidden()
    region = page.locator(".scroll:has(.matrix)")
    assert region.evaluate("e => getComputedStyle(e).overflow") == "visible"
    page.evaluate("location.hash = '#/tables'")
    page.wait_for_function("!document.getElementById('tables').hidden")
    tables = json.loads(page.locator("#later").text_content())
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert page.locator("#tables details table").count() == len(tables) > 8
    assert all(table.is_visible() for table in page.locator("#tables table").all())


def test_the_matrix_is_one_tab_stop_and_arrows_reach_every_cell(page: Any) -> None:
    expect(page.locator(".matrix [tabindex='0']")).to_have_count(1)
    choice(page, "search").focus()
    page.keyboard.press("Tab")
    reached = {page.evaluate("document.activeElement.textContent")}
    assert reached == {"Rank"}
    page.keyboard.press("Control+End")
    assert page.evaluate("document.activeElement.matches('tbody tr:last-child > :last-child')")
    assert "control on " in page.locator("#tip").inner_text()
    page.keyboard.press("Control+Home")
    rows, columns = len(AUROCS) + 1, page.locator(".matrix thead th").count()
    places = set()
    for row in range(rows):
        for _ in range(columns):
            where = "(document.activeElement.closest('th, td'))"
            places.add(tuple(page.evaluate(f"[{where}.parentNode.rowIndex, {where}.cellIndex]")))
            page.keyboard.press("ArrowRight")
        page.keyboard.press("Home")
        page.keyboard.press("ArrowDown")
        assert len(places) == (row + 1) * columns
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.closest('.matrix')") is None


def test_the_link_to_the_content_leaves_the_choices(page: Any) -> None:
    choice(page, "metric").select_option("auprc")
    page.keyboard.press("Tab")
    page.locator(".skip").focus()
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "content"
    expect(choice(page, "metric")).to_have_value("auprc")
    assert "metric=auprc" in page.url


@pytest.mark.parametrize(("width", "scheme"), [(390, "dark"), (1280, "light")])
def test_no_serious_barrier_and_nothing_wider_than_the_screen(page: Any, width: int, scheme: str) -> None:
    page.set_viewport_size({"width": width, "height": 844})
    page.emulate_media(color_scheme=scheme)
    axe = axe_api.Axe()
    for view in ("#/", "#/tables"):
        page.evaluate("hash => { location.hash = hash; }", view)
        page.wait_for_function(
            "hash => document.getElementById('tables').hidden === (hash === '#/')", arg=view
        )
        found = axe.run(page).response["violations"]
        bad = [
            (one["id"], one["nodes"][0]["html"]) for one in found if one["impact"] in ("serious", "critical")
        ]
        assert not bad
        assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.evaluate("location.hash = '#/'")
    page.wait_for_function("document.querySelector('.matrix')")
    if width > 1000:
        heads = page.locator(".matrix thead th")
        expect(heads).to_have_count(3 + len(COHORTS))
        assert all(head.is_visible() for head in heads.all())


def test_rows_become_strips_where_columns_have_no_room_and_only_there(page: Any) -> None:
    expect(page.locator(".strip")).to_have_count(0)
    for width in (900, 640, 420, 1280):
        page.set_viewport_size({"width": width, "height": 844})
        page.evaluate("() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
        region = page.locator(".scroll:has(.home)")
        assert region.evaluate("one => one.scrollWidth <= one.clientWidth + 1")
        assert choice(page, "sort").is_visible() == page.locator(".matrix thead").is_hidden()
    expect(page.locator(".strip")).to_have_count(0)


def test_a_phone_shows_rank_name_pooled_value_and_every_cohort_at_once(page: Any) -> None:
    page.set_viewport_size({"width": 390, "height": 844})
    row = page.locator(".matrix tbody tr").first
    shown = row.inner_text()
    expect(row.locator("td.rank")).to_have_text("1")
    assert row.locator("td.pooled .value").inner_text() in shown
    cells = row.locator("td.rank, th, td.pooled, td[data-cohort]")
    expect(cells).to_have_count(3 + len(COHORTS))
    for cell in cells.all():
        box = cell.bounding_box()
        assert box["x"] >= 0
        assert box["width"] > 20
        assert box["x"] + box["width"] <= 390
    named = page.evaluate(
        "[...document.querySelectorAll('tbody tr:first-child td[data-cohort]')]"
        ".map((cell) => getComputedStyle(cell, '::before').content.slice(1, -1))"
    )
    assert named == list(COHORTS)
    choice(page, "sort").select_option(label="ningbo")
    assert models(page) == ["old", "net", "control"]


def test_a_phone_shows_every_table_as_cards_or_says_that_it_goes_on(page: Any) -> None:
    page.set_viewport_size({"width": 390, "height": 844})
    page.evaluate("location.hash = '#/tables'")
    page.wait_for_function("!document.getElementById('tables').hidden")
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert page.locator("#tables table.cards").count() > 8
    assert on_the_screen(page, "#tables") == []
    wide = page.locator("#tables table.wide")
    assert wide.count() > 1
    for table in wide.all():
        assert table.evaluate("one => one.tBodies[0].rows[0].cells[0].getBoundingClientRect().left") >= 0
        said = table.evaluate("one => getComputedStyle(one.caption, '::after').content")
        assert "Swipe sideways" in said
    cells = page.locator("#cohorts table").first
    cells.get_by_role("button", name="Model").click()
    expect(cells.locator("tbody td:first-of-type").first).to_have_text("old")
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


def test_a_tablet_held_upright_shows_what_has_many_columns_as_cards(page: Any) -> None:
    page.set_viewport_size({"width": 768, "height": 1024})
    page.evaluate("location.hash = '#/tables'")
    page.wait_for_function("!document.getElementById('tables').hidden")
    expect(page.locator("#ranking table.cards")).to_have_count(4)
    expect(page.locator("#tables table[data-columns=few]:not(.cards)").first).to_be_visible()
    across = "one => one.scrollWidth > one.clientWidth + 1"
    tables = page.locator("#tables .scroll:visible:not(:has(.wide))")
    assert [one.inner_text()[:80] for one in tables.all() if one.evaluate(across)] == []
    page.set_viewport_size({"width": 1024 + 16, "height": 768})
    expect(page.locator("#tables table.cards")).to_have_count(0)
    assert [one.inner_text()[:80] for one in tables.all() if one.evaluate(across)] == []


def test_a_board_of_nothing_still_opens(tab: Any, tmp_path: Path) -> None:
    write_report(write_drawn(tmp_path, []))
    with opened(tab, tmp_path) as page:
        assert "No cell is finished" in page.locator("#view").inner_text()
