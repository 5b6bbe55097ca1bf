"""Figures of the model view in a browser: they show what the records say, with a table behind each."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import expect

from benchmark.exchange.joining import Joined, one_run
from benchmark.records.record import ResultRecord
from benchmark.report.board import Entry
from benchmark.report.board_statistics import statistics_of
from benchmark.report.ranking import make_boards
from benchmark.report.text import count, interval, number, signed, signed_interval
from benchmark.report.writing import write_report
from tests.benchmark.measured_cells import CONCEPTS, write_measured
from tests.benchmark.report.first_screen import opened, settle

axe_api = pytest.importorskip("axe_playwright_python.sync_playwright", reason="needs axe-playwright-python")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The report of a measured run, with its labels at hand."""
    path = tmp_path_factory.mktemp("run")
    write_report(path, labels=write_measured(path))
    return path


@pytest.fixture(scope="module")
def joined(folder: Path) -> Joined:
    return one_run(folder)


@pytest.fixture
def page(tab: Any, folder: Path) -> Iterator[Any]:
    """The page at a model; at the end nothing was complained about and nobody was asked for anything."""
    with opened(tab, folder) as first_screen:
        first_screen.evaluate("() => { location.hash = '#/model?entry=net/as-is&concept=LBBB'; }")
        first_screen.locator("#view h2", has_text="net").wait_for()
        yield first_screen


def cell(joined: Joined, model: str, cohort: str) -> ResultRecord:
    [one] = [r for r in joined.records if (r.model.name, r.cohort.id) == (model, cohort)]
    return one


def tables(page: Any, caption: str) -> list[list[list[str]]]:
    """Rows of every table whose caption has this in it, heads left out."""
    settle(page)
    found: list[list[list[str]]] = page.evaluate(
        """caption => [...document.querySelectorAll("#view table")]
          .filter((table) => table.caption.textContent.includes(caption))
          .map((table) => [...table.tBodies[0].rows].map((row) => [...row.cells].map(
            (cell) => (cell.querySelector(".value") ?? cell).textContent)))""",
        caption,
    )
    return found


def test_each_cohort_has_its_curves_and_the_numbers_of_the_record(page: Any, joined: Joined) -> None:
    captions = page.locator("#view figure figcaption").all_text_contents()
    assert len(captions) == 2
    for cohort, said in zip(("ptb-xl", "georgia"), captions, strict=True):
        record = cell(joined, "net", cohort)
        one, drawn = record.evaluation.concepts["LBBB"], record.evaluation.bootstrap
        assert f"{cohort}: {one.n} records (all), {one.positives} positive" in said
        assert f"AUROC {interval(one.auroc)}, AUPRC {interval(one.auprc)}" in said
        assert f"{drawn.resamples} resamples of {drawn.groups} {drawn.unit}, seed {drawn.seed}" in said
        [points] = tables(page, f"LBBB on {cohort}. Points of the curves")
        assert points[-1][1:4] == [str(one.n), str(one.positives), "1.000"]
        drawn_points = page.locator("#view figure").nth(int(cohort == "georgia")).locator("polyline.curve")
        roc = drawn_points.first.get_attribute("points").split()
        assert len(roc) == len(points) + 1
        assert (roc[0], roc[-1]) == ("42.0,198.0", "232.0,8.0")
    expect(page.locator("#view svg.plot")).to_have_count(6)
    for label in page.locator("#view svg.plot").all():
        assert "LBBB on" in label.get_attribute("aria-label")


def test_readers_stand_beside_the_curve_with_their_intervals(page: Any, joined: Joined) -> None:
    own = cell(joined, "net", "georgia").statistics.calls["LBBB"]
    read = cell(joined, "reader", "georgia").statistics.calls["LBBB"]["as called"]
    [rows] = tables(page, "LBBB on georgia. Operating points")
    assert [row[0] for row in rows] == [*own, "a: reader"]
    for row, call in zip(rows, [*own.values(), read], strict=True):
        assert row[2:4] == [interval(call.sensitivity), interval(call.specificity)]
        assert row[5:] == [f"{call.tp} of {call.tp + call.fn}", f"{call.fp} of {call.fp + call.tn}"]
    titles = page.locator("#view figure").nth(1).locator("rect.reader title").all_text_contents()
    assert len(titles) == 2
    assert f"reader: sensitivity {number(read.sensitivity.value)}" in titles[0]
    assert "Diamonds: (a) reader." in page.locator("#view figcaption").nth(1).inner_text()


def test_calibration_is_that_of_the_record(page: Any, joined: Joined) -> None:
    [rows] = tables(page, "Calibration over the concepts that count")
    for row in rows:
        whole = cell(joined, "net", row[0]).statistics.calibration
        assert whole is not None
        assert row[3] == interval(whole.brier)
        assert row[4:] == [signed(whole.slope), signed(whole.intercept), number(whole.ece_equal_width),
                           number(whole.ece_equal_mass)]  # fmt: skip
        [[numbers]] = tables(page, f"LBBB on {row[0]}. Calibration with")
        one = whole.concepts["LBBB"]
        assert [numbers[0], numbers[3], numbers[4]] == [
            interval(one.brier.score),
            signed_interval(one.slope),
            signed_interval(one.intercept),
        ]
        [bins] = tables(page, f"LBBB on {row[0]}. Bins of equal width")
        metrics = cell(joined, "net", row[0]).evaluation.concepts["LBBB"]
        assert sum(int(n) for _, n, *_ in bins) == metrics.n
        assert sum(int(positives) for _, _, positives, *_ in bins) == metrics.positives


def test_wilsons_interval_is_that_of_scipy(page: Any) -> None:
    from scipy.stats import binomtest

    for table in tables(page, "Bins of equal width"):
        for _, n, positives, _, ends in table:
            found = binomtest(int(positives), int(n)).proportion_ci(method="wilson")
            assert ends == f"[{found.low:.3f}, {found.high:.3f}]"


def test_groups_and_gaps_are_those_of_the_records(page: Any, joined: Joined) -> None:
    rows = {row[0]: row for row in tables(page, "Groups by sex")[0]}
    for cohort in ("ptb-xl", "georgia"):
        sex = cell(joined, "net", cohort).statistics.subgroups["sex"]
        for name, group in sex.groups.items():
            one = group.concepts["LBBB"]
            shared = count(len(sex.common)) if group.macro.value is not None else ""
            expected = [
                interval(group.macro),
                shared,
                count(group.records),
                interval(one.auroc),
                count(one.n),
            ]
            row = next(row for key, row in rows.items() if re.match(rf"{cohort}, {name}\b", key))
            assert row[1:] == [*expected, count(one.positives)]
        assert sex.gap is not None
        said = rows[f"{cohort}, largest gap"][1]
        assert said == f"{signed_interval(sex.gap.difference)} {sex.gap.highest} minus {sex.gap.lowest}"
    [board] = make_boards(joined.plan, joined.records, joined.draws, joined.lacking, metric="auroc")
    [pair] = statistics_of(board).gaps[Entry("net", "as-is")]
    [gap, mean] = tables(page, "AUROC at home minus elsewhere")[0]
    assert gap == [
        "ptb-xl to georgia",
        signed_interval(pair.gap),
        number(pair.internal_auroc),
        number(pair.external_auroc),
        str(len(CONCEPTS)),
    ]
    assert mean[1] == signed_interval(pair.gap)


@pytest.mark.parametrize("metric", ["auroc", "auprc"])
def test_label_shares_have_a_panel_for_each_external_cohort(page: Any, joined: Joined, metric: str) -> None:
    page.evaluate(f"() => {{ location.hash = '#/model?entry=encoder/linear-probe-1&metric={metric}'; }}")
    page.locator("#view h2", has_text="encoder").wait_for()
    [rows] = tables(page, "by the share of the labels")
    macros = [r.evaluation.macro.of(metric) for r in joined.records if r.model.name == "encoder"]  # type: ignore[arg-type]
    assert [row[0] for row in rows] == ["linear probe, 1 %", "linear probe, 100 %"]
    assert [row[1] for row in rows] == [interval(one) for one in macros]


def test_another_concept_is_chosen_by_keyboard_and_stays_in_the_address(page: Any) -> None:
    chooser = page.locator('#view select[name="concept"]')
    chooser.focus()
    page.keyboard.press("ArrowUp")
    page.wait_for_function("() => location.hash.includes('concept=AF')")
    expect(page.locator("#view h3", has_text="Curves and calibration: AF")).to_have_count(1)
    assert page.evaluate("document.activeElement.name") == "concept"


@pytest.mark.parametrize(("width", "scheme"), [(390, "dark"), (1920, "light")])
def test_no_serious_barrier_and_nothing_wider_than_the_screen(page: Any, width: int, scheme: str) -> None:
    page.set_viewport_size({"width": width, "height": 844})
    page.emulate_media(color_scheme=scheme)
    page.evaluate("() => { for (const one of document.querySelectorAll('#view details')) one.open = true; }")
    found = axe_api.Axe().run(page, context="#view").response["violations"]
    bad = [
        (o["id"], o["nodes"][0]["html"], o["nodes"][0]["any"][0]["message"])
        for o in found
        if o["impact"] in ("serious", "critical")
    ]
    assert not bad
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_printed_the_tables_are_open(page: Any) -> None:
    page.evaluate("() => dispatchEvent(new Event('beforeprint'))")
    expect(page.locator("#view details:not([open])")).to_have_count(0)


def test_why_there_are_no_curves_is_said_once_for_all_cohorts(tab: Any, folder: Path, tmp_path: Path) -> None:
    run = shutil.copytree(folder, tmp_path / "run")
    write_report(run)  # without labels
    with opened(tab, run) as page:
        page.evaluate("() => { location.hash = '#/model?entry=net/as-is'; }")
        page.locator("#view h2", has_text="net").wait_for()
        said = page.locator("#view p.rules", has_text="No curves on").inner_text()
        expect(page.locator("polyline.curve")).to_have_count(0)
    assert said == (
        "No curves on ptb-xl, georgia: the labels were not on this machine when the page was made."
    )
