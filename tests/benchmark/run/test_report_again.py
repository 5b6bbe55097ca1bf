"""A report that is not of what is in the run, or not whole, is made again by the next call."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from benchmark.commands import evaluation
from benchmark.commands.study import Study
from benchmark.records.report_stamp import STAMP, is_current, without_labels
from benchmark.records.run_folder import load_run
from benchmark.report.writing import write_report
from tests.benchmark.run.damaged import CELLS, again, cells_on_page, empty, exchange, truncate


def call(home: Path, folder: Path, capsys: pytest.CaptureFixture[str]) -> tuple[str, bool]:
    """What ``leadboard run`` prints, and whether it wrote the report."""
    capsys.readouterr()
    study = Study(models=(f"{home / 'counting.py'}:Counting",), out=folder, resamples=50)
    code = evaluation.run(study=study, data=home / "data", cache=home / "cache")
    assert code == 0
    said = capsys.readouterr()
    return said.out, "Writing the report" in said.err


@pytest.mark.parametrize(
    ("name", "damage"),
    [
        ("leaderboard.html", Path.unlink),
        ("leaderboard.csv", empty),
        ("leaderboard.json", truncate),
        ("figures/forest.png", Path.unlink),
        (STAMP, Path.unlink),
        (STAMP, truncate),
    ],
)
def test_a_report_that_is_not_whole_is_made_again(
    home: Path, folder: Path, name: str, damage: Callable[[Path], object], capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / STAMP).unlink(missing_ok=True)
    assert call(home, folder, capsys)[1]  # by the command, which has labels for the curves of the page
    whole = (folder / name).read_bytes()
    assert call(home, folder, capsys) == (NOTHING.format(folder), False)
    damage(folder / name)
    assert call(home, folder, capsys) == (NOTHING.format(folder), True)
    assert (folder / name).read_bytes() == whole
    assert call(home, folder, capsys) == (NOTHING.format(folder), False)


NOTHING = "Nothing to do: all 2 cells are done.\nLeaderboard: {}/leaderboard.html\n"


def test_a_report_older_than_its_records_is_made_again(
    home: Path, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_report(folder)
    again(home, folder, "prevalence")  # of a call that was killed before it wrote its report
    assert ("prevalence", "georgia") not in cells_on_page(folder)
    assert call(home, folder, capsys) == (NOTHING.format(folder), True)
    assert ("prevalence", "georgia") in cells_on_page(folder)
    (folder / "prevalence/as-is/georgia.resamples.npz").unlink()
    assert not is_current(folder)
    exchange(folder / "prevalence/as-is/georgia.json")
    assert call(home, folder, capsys) == (NOTHING.format(folder), True)
    assert ("prevalence", "georgia") not in cells_on_page(folder)


def test_a_broken_model_beside_a_finished_one_is_told_alike_everywhere(
    home: Path, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_report(folder)
    (home / "broken.py").write_text("raise RuntimeError('no')\n")
    models = (f"{home / 'counting.py'}:Counting", f"{home / 'broken.py'}:Broken")
    for _ in range(2):
        study = Study(models=models, out=folder, resamples=50)
        code = evaluation.run(study=study, data=home / "data", cache=home / "cache")
        said = capsys.readouterr()
        assert code == 1
        assert "0 of 4 cells computed now, 2 failed. Without a result: " in said.out
        assert "Nothing to do" not in said.out
        assert "Left out" not in said.err
        page = (folder / "leaderboard.html").read_text()
        assert "2 of 4 planned cells have no result" in page
        assert page.count("raised RuntimeError at broken.py:1: no") == 2


def test_a_report_of_other_code_is_made_again(
    home: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_report(folder)
    assert is_current(folder)
    monkeypatch.setattr("benchmark.records.report_stamp.code_hash", lambda *_: "another version")
    assert not is_current(folder)


def test_a_report_without_labels_is_made_again_where_they_are_here_now(
    home: Path, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_report(folder)
    nowhere = without_labels(load_run(folder)[1], None)
    assert nowhere == {"georgia": True, "ptb-xl": True}
    assert is_current(folder)
    assert is_current(folder, labels=lambda cohort, *, signals=True: None)
    assert call(home, folder, capsys) == (NOTHING.format(folder), True)
    assert json.loads((folder / STAMP).read_text())["without_labels"] == {}
    assert call(home, folder, capsys) == (NOTHING.format(folder), False)


def test_a_report_that_ranks_by_the_other_metric_is_made_again(folder: Path) -> None:
    write_report(folder)
    assert is_current(folder)
    assert not is_current(folder, "auprc")
    write_report(folder, "auprc")
    assert is_current(folder, "auprc")
    assert not is_current(folder)


def test_what_a_killed_report_has_left_is_swept(home: Path, folder: Path) -> None:
    write_report(folder)
    left = [folder / ".leaderboard.csv.abcdefgh.part", folder / "figures/.forest.png.abcdefgh.part"]
    cell = folder / CELLS / ".georgia.parquet.abcdefgh.part"
    for path in (*left, cell):
        path.write_text("half")
    write_report(folder)
    assert not any(path.exists() for path in left)
    again(home, folder)
    assert not cell.exists()


@pytest.mark.parametrize("name", [".", "..", "runs/source=georgia"])
def test_a_run_has_the_name_of_its_folder_however_that_is_written(
    home: Path, tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also one that reads as a partition of a table: nothing of it becomes a column."""
    place = tmp_path / "mine/below"
    place.mkdir(parents=True)
    monkeypatch.chdir(place)
    folder = Path(name)
    assert again(home, folder).failed == 0
    write_report(folder)
    title = {".": "below", "..": "mine"}.get(name, folder.name)
    assert f"<title>Leaderboard: {title}</title>" in (folder / "leaderboard.html").read_text()
    assert again(home, folder).sentence == "Nothing to do: all 2 cells are done."
    assert is_current(folder)
