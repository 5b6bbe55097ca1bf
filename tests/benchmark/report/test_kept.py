"""``leadboard report --only``: no link of what is kept leads to a file that is not."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from benchmark.cli import app
from benchmark.report.board import Entry
from benchmark.report.writing import write_report
from cohorts.errors import UnknownNameError
from tests.benchmark.report.report_factory import drawn, record, write_drawn


@pytest.fixture
def run(tmp_path: Path) -> Path:
    return write_drawn(tmp_path / "run", [drawn(record("net", cohort)) for cohort in ("georgia", "sph")])


def report(run: Path, *only: str) -> set[str]:
    """Call the command, and give the files that it has written."""
    call = ["report", str(run), *(part for name in only for part in ("--only", name))]
    assert app(call, exit_on_error=False, print_error=False, result_action="return_value") == 0
    ours = ("leaderboard", "figures", "mistakes")
    names = (path.relative_to(run).as_posix() for path in run.rglob("*") if path.is_file())
    return {name for name in names if name.startswith(ours)}


def linked(run: Path) -> set[str]:
    """Files that the page links to and the Markdown shows."""
    page = (run / "leaderboard.html").read_text("utf-8")
    found = set(re.findall(r'href="([^"#:]+)"', page))
    text = run / "leaderboard.md"
    return found | set(re.findall(r"\]\(([^)]+)\)", text.read_text("utf-8")) if text.exists() else ())


def test_a_whole_report_links_to_what_lies_beside_it(run: Path) -> None:
    written = report(run)
    assert linked(run) == written - {"leaderboard.html"}
    assert len(written) == 8


@pytest.mark.parametrize(
    "only", [["leaderboard.html,leaderboard.md,figures/forest.png"], ["leaderboard.html", "figures"]]
)
def test_what_is_kept_links_to_what_is_kept(run: Path, only: list[str]) -> None:
    written = report(run, *only)
    assert linked(run) == written - {"leaderboard.html"}
    assert "leaderboard.csv" not in written
    assert "figures/forest.png" in written


def test_a_page_alone_is_complete_in_itself(run: Path) -> None:
    assert report(run, "leaderboard.html") == {"leaderboard.html"}
    assert linked(run) == set()
    page = (run / "leaderboard.html").read_text("utf-8")
    assert "They are not kept beside this page" in page
    assert "This page is complete in itself" in page


def test_sheets_of_mistakes_are_linked_where_they_are_kept(
    run: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sheets = {Entry("net", "as_is"): ("mistakes/net.html", "<p>")}
    monkeypatch.setattr("benchmark.report.writing.mistake_pages", lambda *_: sheets)
    assert "mistakes/net.html" not in report(run, "leaderboard.html")
    assert '"mistakes/net.html"' not in (run / "leaderboard.html").read_text("utf-8")
    write_report(run)
    assert "mistakes/net.html" in linked(run)
    assert '"mistakes":{"0":"mistakes/net.html"}' in (run / "leaderboard.html").read_text("utf-8")


def test_a_file_that_no_report_has_is_refused(run: Path) -> None:
    with pytest.raises(UnknownNameError, match=r"Did you mean 'leaderboard\.html'\?"):
        report(run, "leaderboard.htm")
    assert not (run / "leaderboard.html").exists()
