"""The views of a model, a cohort, a concept and two models in a browser: numbers, hostile names, barriers."""

from __future__ import annotations

import json
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from playwright.sync_api import expect

from benchmark.exchange.joining import one_run
from benchmark.report.board import Entry
from benchmark.report.board_statistics import statistics_of
from benchmark.report.measured_curves import MeasuredCurves
from benchmark.report.page.encoding import units
from benchmark.report.page.views import view_data
from benchmark.report.pairwise import compare_models
from benchmark.report.ranking import make_boards
from benchmark.report.text import number, signed
from benchmark.report.view_facts import concept_facts, overlap_sentence
from benchmark.report.writing import write_report
from tests.benchmark.report.first_screen import choice, on_the_screen, opened, settle
from tests.benchmark.report.report_factory import concept, drawn, record, write_drawn

axe_api = pytest.importorskip("axe_playwright_python.sync_playwright", reason="needs axe-playwright-python")

HOSTILE = "<img src=x onerror=alert(1)>&a=b"
COHORTS = ("ptb-xl", "georgia", "ningbo", HOSTILE)
AUROCS = {
    "net": (0.9705, 0.91, 0.84, 0.7),
    "old": (0.93, 0.8895, 0.86, 0.6),
    "third": (0.5, 0.52, 0.48, 0.45),
}
ADDRESSES = {
    "model": {"entry": "net/as_is"},
    "cohort": {"cohort": "georgia"},
    "concept": {"concept": "AF"},
    "compare": {"a": "old/as_is", "b": "net/as_is"},
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A board with internal, external and simulated cells, few positives, lost records and hostile names."""
    cells = []
    for step, (model, aurocs) in enumerate(AUROCS.items()):
        for at, (cohort, auroc) in enumerate(zip(COHORTS, aurocs, strict=True)):
            one = record(
                model,
                cohort,
                {
                    "AF": auroc,
                    "LBBB": concept(auroc - 0.03, positives=31),
                    "WPW": concept(auroc, positives=4),
                    HOSTILE: auroc - 0.01,
                },
                relation="internal" if at == 0 else "external",
                facts={"name": HOSTILE if cohort == HOSTILE else cohort.title(), "version": HOSTILE},
                card={"description": HOSTILE, "citation": HOSTILE},
                skipped={f"r{at}": "flat line" for at in range(23)} | {HOSTILE: HOSTILE},
            )
            cells.append(drawn(one, seed=10 * at + step))
    cells += [drawn(record(model, "sim", {"AF": 0.77}, simulated=True)) for model in ("net", "old")]
    path = tmp_path_factory.mktemp("board")
    write_report(write_drawn(path, cells, name=HOSTILE))
    return path


@pytest.fixture(scope="module")
def estimates(folder: Path) -> list[dict[str, Any]]:
    found = json.loads((folder / "leaderboard.json").read_text())["estimates"]
    assert isinstance(found, list)
    return found


@pytest.fixture
def page(tab: Any, folder: Path) -> Iterator[Any]:
    """The first screen; at the end nothing was complained about and nobody was asked for anything."""
    with opened(tab, folder) as first_screen:
        yield first_screen


def open_view(page: Any, view: str, **chosen: str) -> None:
    """Go to a view by its address alone."""
    page.evaluate("hash => { location.hash = hash; }", f"#/{view}?{urlencode(chosen)}")
    page.reload()


def table(page: Any, caption: str) -> list[list[str]]:
    """Rows of the table whose caption begins so, with heads first."""
    settle(page)
    found: list[list[list[str]]] = page.evaluate(
        """caption => [...document.querySelectorAll("#view table")]
          .filter((table) => table.caption.textContent.startsWith(caption))
          .map((table) => [...table.rows].map((row) => [...row.cells].map(
            (cell) => (cell.querySelector(".value") ?? cell.querySelector("a") ?? cell).textContent)))""",
        caption,
    )
    assert len(found) == 1
    return found[0]


def bracketed(one: dict[str, Any]) -> str:
    return f"{number(one['value'])} [{number(one['low'])}, {number(one['high'])}]"


def chosen(estimates: list[dict[str, Any]], **wanted: Any) -> list[dict[str, Any]]:
    wanted.setdefault("simulated", False)
    return [one for one in estimates if all(one[key] == value for key, value in wanted.items())]


@pytest.mark.parametrize("metric", ["auroc", "auprc"])
def test_a_model_has_the_numbers_of_its_records(
    page: Any, estimates: list[dict[str, Any]], metric: str
) -> None:
    open_view(page, "model", entry="net/as_is", metric=metric)
    rows = {row[0]: row for row in table(page, f"Macro {metric.upper()}")}
    heat = table(page, f"{metric.upper()} of each concept")
    for one in chosen(estimates, model="net", metric=metric, concept="macro"):
        assert rows[one["cohort"]][1] == bracketed(one)
    concepts = {row[0].split(":")[0]: dict(zip(heat[0], row, strict=True)) for row in heat[1:]}
    checked = 0
    for one in chosen(estimates, model="net", metric=metric):
        if one["concept"] != "macro":
            assert concepts[one["concept"]][one["cohort"]].startswith(number(one["value"]))
            checked += 1
    assert checked == 4 * len(COHORTS)
    for at, cohort in enumerate(COHORTS[:3]):
        cell = record("net", cohort, relation="external" if at else "internal")
        assert rows[cohort][4] == overlap_sentence(cell)


def test_the_pooled_row_of_a_model_is_that_of_the_tables(page: Any) -> None:
    open_view(page, "model", entry="net/as_is")
    pooled = next(row for row in table(page, "Macro AUROC") if row[0].startswith("Pooled"))
    tables = json.loads(page.locator("#later").text_content())
    said = next(t for t in tables if t["caption"].startswith("At the next hospital, from"))
    [row] = [row for row in said["rows"] if row[0] == "net"]
    texts = [cell if isinstance(cell, str) else cell[0] for cell in row]
    assert pooled[1] in texts
    assert "Over 3 cohorts" in pooled[4]
    results = page.locator("#view table", has_text="Training overlap")
    expect(results.locator(".diamond rect.pooled")).to_have_count(1)


def test_a_cohort_has_its_facts_and_ranks_its_models(page: Any, estimates: list[dict[str, Any]]) -> None:
    open_view(page, "cohort", cohort="georgia")
    expected = sorted(
        chosen(estimates, cohort="georgia", metric="auroc", concept="macro"),
        key=lambda one: -one["value"],
    )
    rows = table(page, "Macro AUROC on georgia")[1:]
    assert [row[:2] for row in rows] == [[one["model"], bracketed(one)] for one in expected]
    annotated = {row[0].split(":")[0]: row[1:5] for row in table(page, "Concepts of georgia")}
    assert annotated["LBBB"] == ["31", "100", "31.0 %", "yes"]
    assert annotated["WPW"] == ["4", "100", "4.0 %", "too few"]
    assert table(page, "Concepts of georgia")[0][-1] == "In the release"
    lost = {row[0]: row[1:] for row in table(page, "Quarantined records")}
    assert lost["flat line"][0] == "23"
    assert lost["flat line"][1].endswith("r19 and 3 more")
    assert lost[HOSTILE] == ["1", HOSTILE]
    assert "CC-BY-4.0" in page.locator("#view dl.card").inner_text()


def test_a_concept_has_its_codes_counts_and_models(page: Any, estimates: list[dict[str, Any]]) -> None:
    open_view(page, "concept", concept="LBBB")
    counts = {row[0]: row[1:4] for row in table(page, "Positive records")[1:]}
    assert counts == {
        cohort: ["31", f"100 ({'all' if at else 'test fold'})", "31.0 %"] for at, cohort in enumerate(COHORTS)
    }
    for cohort in COHORTS:
        expected = sorted(
            chosen(estimates, cohort=cohort, metric="auroc", concept="LBBB"), key=lambda one: -one["value"]
        )
        rows = table(page, f"AUROC of LBBB on {cohort}")[1:]
        assert [row[:2] for row in rows] == [[one["model"], bracketed(one)] for one in expected]
    facts = concept_facts(["LBBB"])["LBBB"]
    for vocabulary, codes in facts["codes"].items():
        said = [at for at in range(4) if any(code[at] for code in codes["first"])]
        assert table(page, f"Codes in {vocabulary}")[1:] == [
            [code[at] for at in said] for code in codes["first"]
        ]


@pytest.mark.parametrize("metric", ["auroc", "auprc"])
@pytest.mark.parametrize(("a", "b"), [("net", "old"), ("old", "net")])
def test_two_models_differ_as_leadboard_compare_says(
    page: Any, folder: Path, a: str, b: str, metric: str
) -> None:
    open_view(page, "compare", a=f"{a}/as_is", b=f"{b}/as_is", metric=metric)
    rows = {row[0]: row for row in table(page, f"{metric.upper()} of A minus B")[1:]}
    found = compare_models(folder, a, b)
    real = {cohort: getattr(one, metric) for cohort, one in found.cohorts.items() if cohort != "sim"}
    assert set(rows) == set(COHORTS) | ({"Pooled"} if metric == "auroc" else set())
    for cohort, one in real.items():
        said = f"{signed(one.value)} [{signed(one.low)}, {signed(one.high)}]"
        assert rows[cohort][1:3] == [said, number(one.p)]
    dots = page.locator("#view .scatter circle title").all_text_contents()
    assert len(dots) == 3 * len(COHORTS)  # WPW has too few positives
    shown = {"net": 0.91, "old": 0.8895}[a] / (1 if metric == "auroc" else 2)
    assert f"AF on georgia: A {number(shown)}, B " in "\n".join(dots)


def test_a_difference_turned_round_is_written_as_it_would_be(browser: Any) -> None:
    values = [at / 2000 + off for at in range(-60, 61) for off in (-1e-9, -4e-5, 0.0, 4e-5, 1e-9)]
    static = files("benchmark.report.page") / "static"
    code = (static / "format.js").read_text() + (static / "compare.js").read_text()
    used = code[: code.index("const ends")] + code[code.index("const negated") : code.index("const turned")]
    empty = browser.new_page()
    found = empty.evaluate(
        f"units => {{ {used} return units.map((one) => [signed(one), signed(negated(one))]); }}",
        [units(value) for value in values],
    )
    empty.close()
    assert found == [[signed(value), signed(-value)] for value in values]


def test_bands_of_age_go_from_young_to_old_and_other_groups_stay(page: Any) -> None:
    code = (files("benchmark.report.page") / "static" / "people.js").read_text()
    used = code[code.index("function inOrder") : code.index("function groupRows")]
    ages = ["under 40", "40 to 59", "60 to 79", "80 and over", "unknown"]
    for given, expected in (
        (sorted(ages), ages),
        (["male", "unknown", "female"], ["male", "female", "unknown"]),
    ):
        assert page.evaluate(f"groups => {{ {used} return inOrder(groups); }}", given) == expected


def test_p_is_adjusted_for_the_cohorts_that_are_shown(page: Any, folder: Path) -> None:
    joined = one_run(folder)
    boards = make_boards(joined.plan, joined.records, joined.draws, joined.lacking, metric="auroc")
    open_view(page, "compare", **ADDRESSES["compare"])
    rows = table(page, "AUROC of A minus B")[1:]
    raw = sorted(float(row[2].lstrip("<")) for row in rows[:-1])
    least = next(row for row in rows if float(row[2].lstrip("<")) == raw[0])
    assert float(least[3].lstrip("<")) == pytest.approx(min(1, len(COHORTS) * raw[0]), abs=0.003)
    found = [statistics_of(board) for board in boards]
    curves = MeasuredCurves([], [], {}, None)
    data = view_data(boards, found, {Entry("old", "as_is"): "mistakes/old.html"}, curves)
    place = {entry: at for at, entry in enumerate(boards[0].entries)}[Entry("old", "as_is")]
    assert data["mistakes"] == {str(place): "mistakes/old.html"}


@pytest.mark.parametrize("view", ADDRESSES)
def test_what_is_simulated_is_marked_in_every_view(page: Any, view: str) -> None:
    wanted = ADDRESSES[view] | ({"cohort": "sim"} if view == "cohort" else {})
    open_view(page, view, **wanted, cohorts="simulated")
    expect(page.locator("#view .banner.simulated")).to_have_text("Simulated recordings, not patients.")
    captions = [text for text in page.locator("#view caption").all_text_contents() if "Codes in" not in text]
    assert captions
    assert all(text.startswith("Simulated, not patients: ") for text in captions)
    assert "georgia" not in page.locator("#view table").first.inner_text()
    assert "In the release" not in page.locator("#view").inner_text()


@pytest.mark.parametrize("view", ADDRESSES)
def test_hostile_names_stay_text(page: Any, view: str) -> None:
    open_view(page, view, **ADDRESSES[view] | {"cohort": HOSTILE, "concept": HOSTILE})
    if view in ("cohort", "concept"):
        assert HOSTILE in page.locator("#view h2").inner_text()
    assert HOSTILE in "".join(page.locator("#view table").all_text_contents())
    expect(page.locator("#view :is(img, b, iframe, [onerror], [style])")).to_have_count(0)


@pytest.mark.parametrize("view", ["model", "cohort", "concept"])
@pytest.mark.parametrize("name", ["", "nothing", "__proto__", "constructor"])
def test_what_is_not_there_is_said(page: Any, view: str, name: str) -> None:
    open_view(page, view, entry=name, cohort=name, concept=name)
    assert page.locator("#view").inner_text().startswith(f"This page has no such {view}.")


def test_heads_of_the_matrix_and_names_lead_to_the_views(page: Any) -> None:
    page.locator(".matrix tbody th a", has_text="old").click()
    expect(page.locator("#view h2")).to_have_text("old")
    page.locator("#view .matrix tbody th a", has_text="LBBB").click()
    assert page.locator("#view h2").inner_text().startswith("LBBB")
    page.get_by_role("link", name="Leaderboard", exact=True).click()
    page.get_by_role("link", name="about ningbo").click()
    expect(page.locator("#view h2")).to_have_text("Ningbo")
    page.get_by_role("link", name="Compare").click()
    page.get_by_role("button", name="Swap").click()
    expect(page.locator("#view h2")).to_have_text("old against net")


def test_the_list_of_pages_leads_to_the_first_of_each_kind_and_keeps_what_was_chosen(page: Any) -> None:
    choice(page, "concept").select_option("LBBB")
    page.get_by_role("link", name="LBBB").click()
    assert page.locator("#view h2").inner_text().startswith("LBBB")
    page.get_by_role("link", name="Models", exact=True).click()
    expect(page.locator("#view h2")).to_have_text("net")
    page.get_by_role("link", name="Cohorts", exact=True).click()
    choice(page, "cohort").select_option("georgia")
    page.get_by_role("link", name="Cohorts", exact=True).click()
    expect(page.locator("#view h2")).to_have_text("Georgia")
    page.get_by_role("link", name="Concepts", exact=True).click()
    expect(page.locator("nav [aria-current=page]")).to_have_text("Concepts")
    expect(choice(page, "concept")).to_have_value("AF")


def test_on_a_phone_every_cell_of_a_view_is_on_the_screen_under_the_name_of_its_column(page: Any) -> None:
    page.set_viewport_size({"width": 390, "height": 844})
    for view, wanted in ADDRESSES.items():
        open_view(page, view, **wanted)
        assert page.locator("#view table").count() > 1
        assert on_the_screen(page, "#view") == []


@pytest.mark.parametrize(("width", "scheme"), [(390, "dark"), (1280, "light")])
@pytest.mark.parametrize("view", ADDRESSES)
def test_no_serious_barrier_and_nothing_wider_than_the_screen(
    page: Any, view: str, width: int, scheme: str
) -> None:
    page.set_viewport_size({"width": width, "height": 844})
    open_view(page, view, **ADDRESSES[view])
    page.emulate_media(color_scheme=scheme)
    found = axe_api.Axe().run(page, context="#view").response["violations"]
    bad = [(o["id"], o["nodes"][0]["html"]) for o in found if o["impact"] in ("serious", "critical")]
    assert not bad
    assert page.evaluate("document.documentElement.scrollWidth") <= width
