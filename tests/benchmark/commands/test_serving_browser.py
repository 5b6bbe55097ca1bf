"""``leadboard serve`` in a browser: a page that is written again is shown, and the place in it is kept."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import expect

from benchmark.commands import report_server
from benchmark.commands.report_server import ReportServer
from benchmark.report.writing import write_report
from tests.benchmark.report.report_factory import planned, record, write_run


@pytest.fixture
def served(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Path, str]]:
    """Folder of a run that has begun, and where it is served."""
    monkeypatch.setattr(report_server, "EVERY", 20)
    run = write_run(tmp_path / "run", [], [planned("net", "georgia", "planned")])
    with ReportServer(run, "127.0.0.1", 0) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield run, f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()
        thread.join()


def test_a_run_is_followed_from_its_first_cell_to_its_last(browser: Any, served: tuple[Path, str]) -> None:
    run, address = served
    context = browser.new_context()
    page = context.new_page()
    page.set_default_timeout(10_000)
    wrong: list[str] = []
    asked: set[str] = set()
    page.on("console", lambda message: wrong.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on("request", lambda request: asked.add(request.url.partition("#")[0]))
    page.goto(address)
    assert "no result yet" in page.inner_text("body")

    cells = [record("net", "georgia", {"AF": 0.814}), record("old", "georgia", {"AF": 0.7})]
    waiting = [planned("net", "sph", "planned"), planned("old", "sph", "failed", reason="out of memory")]
    write_report(write_run(run, cells, waiting))
    page.locator(".matrix td[data-cohort]", has_text="0.814").wait_for()
    expect(page.locator(".matrix thead th.cohort")).to_have_text(["georgia"])
    assert "2 of 4 planned cells have no result" in page.inner_text("header")
    page.get_by_role("link", name="the reasons are here").click()
    expect(page.locator("nav [aria-current=page]")).to_have_text("All tables")
    problems = page.locator("#problems").inner_text()
    assert "not run yet" in problems
    assert "out of memory" in problems

    page.get_by_role("link", name="Leaderboard", exact=True).click()
    page.locator("form.choices [name=metric]").select_option("auprc")
    page.locator("form.choices [name=search]").fill("ne")
    write_report(
        write_run(run, [*cells, record("net", "sph", {"AF": 0.9}), record("old", "sph", {"AF": 0.6})])
    )
    page.locator(".matrix thead th.cohort", has_text="sph").wait_for()
    expect(page.locator("form.choices [name=metric]")).to_have_value("auprc")
    expect(page.locator("form.choices [name=search]")).to_have_value("ne")
    expect(page.locator(".matrix tbody tr")).to_have_count(1)
    assert "planned cells" not in page.inner_text("header")
    context.close()
    assert not wrong
    assert asked <= {address, f"{address}version", f"{address}favicon.ico"}
