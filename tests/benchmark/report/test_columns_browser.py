"""Numbers in columns: the page's script makes of them what was written, and unpacks what was deflated."""

from __future__ import annotations

import json
import random
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import expect

from benchmark.report.page import written as written_module
from benchmark.report.page.columns import folded, in_columns
from benchmark.report.page.details import NEAR
from benchmark.report.writing import write_report
from tests.benchmark.measured_cells import write_measured
from tests.benchmark.report.first_screen import matrix, opened

NAMES = ("youden", "__proto__", "sensitivity 90 %", "<b>", "constructor", "0")


def numbers(rng: random.Random, width: int) -> list[int | None]:
    return [rng.choice([None, 0, rng.randint(-30_000, 30_000)]) for _ in range(width)]


def details(rng: random.Random) -> dict[str, Any]:
    """Of some cells, each with some of the parts, several rows of some."""
    found: dict[str, Any] = {}
    for place in rng.sample(range(99), 12):
        one: dict[str, Any] = {}
        for part in ("calls", "groups"):
            within = {name: numbers(rng, len(NEAR[part])) for name in NAMES if rng.random() < 0.5}
            if within:
                one[part] = (
                    {name: {"all": row} for name, row in within.items()} if part == "groups" else within
                )
        if rng.random() < 0.7:
            one["calibration"] = numbers(rng, len(NEAR["calibration"]))
        if rng.random() < 0.7:
            points = range(rng.randint(1, 9))
            one["curve"] = [
                n for _ in points for n in (rng.random(), rng.randint(0, 99), rng.randint(0, 999))
            ]
        found[str(place)] = one
    return found


@pytest.fixture
def script(tab: Any) -> Any:
    """Call a function of the page's own script."""
    page, _ = tab
    source = (files("benchmark.report.page") / "static" / "columns.js").read_text("utf-8")
    page.goto("about:blank")
    return lambda name, content: page.evaluate(f"content => {{ {source}; return {name}(content); }}", content)


@pytest.mark.parametrize("seed", range(5))
def test_details_come_back_as_they_were(script: Any, seed: int) -> None:
    content = details(random.Random(seed))
    wrapped = "((one) => JSON.stringify(ofCells(one)))"
    assert json.loads(script(wrapped, in_columns(content, NEAR, {}))) == content


def test_rows_come_back_as_they_were(script: Any) -> None:
    rows = [8714, 8600, 8800, 12, 5000, None, None, None, 0, None, None, -125, 3, None, 1, -1]
    assert script("unfolded", folded(rows, (-1, 0, 0, -1))) == rows
    assert script("unfolded", folded([], (-1, 0, 0))) == []


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Any]:
    folder = tmp_path_factory.mktemp("run")
    return folder, write_measured(folder)


VIEWS = (
    "",
    "model?entry=net/as-is&concept=LBBB",
    "cohort?cohort=georgia",
    "concept?concept=AF",
    "compare",
    "tables",
)


def shown_in(page: Any) -> list[str]:
    """What each view says."""
    found = []
    for view in VIEWS:
        page.evaluate("hash => { location.hash = hash; }", f"#/{view}")
        page.reload()
        page.locator("#pages a").first.wait_for()
        page.evaluate("for (const one of document.querySelectorAll('details')) one.open = true")
        page.wait_for_function("!document.querySelector('details.later:not([data-made-of])')")
        found.append(page.locator("main").inner_text())
    return found


def test_a_page_whose_numbers_are_deflated_shows_the_same(
    tab: Any, run: tuple[Path, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    write_report(run[0], labels=run[1])
    with opened(tab, run[0]) as plain:
        expected = shown_in(plain)
    monkeypatch.setattr(written_module, "PLAIN", 0)
    write_report(run[0], labels=run[1])
    assert 'type="text/plain" id="data"' in (run[0] / "leaderboard.html").read_text()
    with opened(tab, run[0]) as packed:
        found = shown_in(packed)
        assert matrix(packed) == {}  # of the last view, the tables
    assert found == expected
    assert all(len(one) > 100 for one in expected)


def test_a_browser_that_cannot_unpack_says_so_and_shows_the_tables(
    browser: Any, run: tuple[Path, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(written_module, "PLAIN", 0)
    write_report(run[0], labels=run[1])
    page, wrong = browser.new_page(), list[str]()
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.add_init_script("delete globalThis.DecompressionStream")
    page.goto((run[0] / "leaderboard.html").as_uri())
    assert "cannot unpack the numbers of this page" in page.get_by_role("alert").inner_text()
    expect(page.locator("#ranking table").first).to_be_visible()
    expect(page.locator("details.later").first).to_be_hidden()
    page.close()
    assert not wrong
