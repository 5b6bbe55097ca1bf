"""``submit --aggregate``, and ``verify``, ``report`` and ``compare`` of many, as they are called."""

from __future__ import annotations

import json
import os
import pty
import shutil
import sys
from pathlib import Path
from typing import Any

import pytest

from benchmark.cli import app
from benchmark.config import Places
from cohorts.catalogue import find_cohort
from cohorts.errors import UsageError
from tests.benchmark.exchange.leaks import found_in
from tests.benchmark.tiny_run import make_run, score_table


@pytest.fixture(scope="module")
def genuine(tmp_path_factory: pytest.TempPathFactory, places: Places) -> Path:
    folder = tmp_path_factory.mktemp("runs")
    run = make_run(folder, places)
    other = folder / "other"
    other.mkdir()
    from benchmark.records.predictions import load_predictions

    table, _ = load_predictions(run / "noisy/as-is/georgia.parquet")
    table[["AF", "LVH"]] = -table[["AF", "LVH"]]
    score_table(other / "run", places, table, "theirs")
    return folder


@pytest.fixture
def here(tmp_path: Path, genuine: Path, places: Places, monkeypatch: pytest.MonkeyPatch) -> Path:
    shutil.copytree(genuine / "run", tmp_path / "run")
    shutil.copytree(genuine / "other/run", tmp_path / "other")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("LEADBOARD_CACHE", str(places.cache))
    monkeypatch.delenv("LEADBOARD_DATA", raising=False)
    return tmp_path


def hide(monkeypatch: pytest.MonkeyPatch, *names: str) -> None:
    for name in names:
        cohort = find_cohort(name)
        monkeypatch.setattr(cohort, "card", cohort.card.model_copy(update={"access": "private"}))


def call(*arguments: str) -> int:
    code = app(arguments, exit_on_error=False, print_error=False, result_action="return_value")
    assert isinstance(code, int)
    return code


def test_what_would_leave_is_listed_before_it_is_written(
    here: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    hide(monkeypatch, "georgia", "ptb-xl")
    with pytest.raises(UsageError, match="private: predictions, record ids and counts stay in the run"):
        call("submit", "run", "--model", "noisy", "--to", "to")
    with pytest.raises(UsageError, match="This is no terminal to ask on; read the list and give --yes"):
        call("submit", "run", "--model", "noisy", "--to", "to", "--aggregate")
    assert not Path("to").exists()
    printed = capsys.readouterr().out
    assert call("submit", "run", "--model", "noisy", "--to", "to", "--aggregate", "--yes") == 0
    again = capsys.readouterr().out
    assert again.startswith(printed)
    folder = next(Path("to").iterdir())
    for path in (p for p in folder.rglob("*") if p.is_file()):
        name, size = path.relative_to(folder).as_posix(), f"{path.stat().st_size:,} bytes"
        assert any(name in line and size in line for line in printed.splitlines()), name
    assert f"Packed: {folder}" in again
    assert call("verify", str(folder)) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].endswith("self-reported: not recomputable")
    assert lines[-1].endswith(" 0 differ, 2 could not be made.")
    (folder / "README.md").write_text("")
    assert call("verify", str(folder)) == 1


@pytest.mark.parametrize(("answer", "written"), [("y\n", True), ("n\n", False), ("\n", False)])
def test_a_terminal_is_asked(
    here: Path,
    answer: str,
    written: bool,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    ours, theirs = pty.openpty()
    with os.fdopen(theirs) as terminal:
        monkeypatch.setattr(sys, "stdin", terminal)
        os.write(ours, answer.encode())
        code = call("submit", "run", "--model", "mine", "--aggregate", "--to", "to")
    os.close(ours)
    said = capsys.readouterr().out
    assert "Write it? [y/N]" in said
    assert ("Packed: " in said) == written
    assert ("Nothing was written." in said) != written
    assert code == (0 if written else 1)
    assert Path("to").exists() == written


@pytest.mark.parametrize("minimum", ["3", "9", "15", "51", "60"])
def test_a_minimum_that_protects_nobody_or_tells_nothing_is_refused(here: Path, minimum: str) -> None:
    from cyclopts import CycloptsError

    with pytest.raises(CycloptsError):
        call("submit", "run", "--model", "noisy", "--aggregate", "--yes", "--minimum-count", minimum)


def test_one_board_of_a_run_and_of_submissions(
    here: Path, places: Places, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    data = ("--data", str(places.data))
    assert call("submit", "run", "--model", "noisy", "--to", "to") == 0
    with monkeypatch.context() as patched:
        hide(patched, "georgia")
        assert call("submit", "run", "--model", "mine", "--to", "to", "--aggregate", "--yes") == 0
        shutil.rmtree("run")
        capsys.readouterr()
        assert call("report", "other", "to", "--out", "board", *data) == 0
        told = json.loads(Path("board/leaderboard.json").read_text())
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "run: run, 1 cell"
    kinds = [line.split(": ")[1] for line in lines[1:3]]
    assert kinds == ["aggregate submission, 1 cell", "submission, 2 cells"]
    assert {(c["model"]["name"], c["cohort"]["id"]) for c in told["cells"]} >= {("theirs", "georgia")}
    assert [(c["model"], c["cohort"]["id"]) for c in told["self_reported"]] == [("mine", "georgia")]
    ranked = {row["model"] for ranking in told["rankings"] for row in ranking["rows"]}
    assert "mine" not in ranked
    assert found_in(Path("board"), {str(here), here.name}) == set()


def ranks(ranking: dict[str, Any]) -> list[Any]:
    names = ("model", "rank", "external_macro_auroc_mean", "external_macro_auroc_interval")
    return sorted(([row[name] for name in names] for row in ranking["rows"]), key=str)


def test_submissions_get_their_resamples_from_the_labels(
    here: Path, places: Places, capsys: pytest.CaptureFixture[str]
) -> None:
    data = ("--data", str(places.data))
    for run, model in (("run", "noisy"), ("run", "mine"), ("other", "theirs")):
        assert call("submit", run, "--model", model, "--to", "to") == 0
    assert call("report", "run", "other", "--out", "of-runs") == 0
    assert call("report", "to", "--out", "with-labels", *data) == 0
    assert call("report", "to", "--out", "without") == 0
    runs, labels, without = (
        json.loads(Path(name, "leaderboard.json").read_text())["rankings"][0]
        for name in ("of-runs", "with-labels", "without")
    )

    assert ranks(labels) == ranks(runs)
    assert labels["ranked_by"] == runs["ranked_by"] == "groups without a significant difference"
    assert without["ranked_by"] == "means"
    assert "give the releases with --data" in without["without_resamples"][0]["reason"]
    capsys.readouterr()
    assert call("compare", "mine", "theirs", "to", *data) == 0
    assert "mine/predictions minus theirs/predictions" in capsys.readouterr().out
    with pytest.raises(UsageError, match="cannot be compared"):
        call("compare", "mine", "theirs", "to")


def test_a_submission_in_which_something_differs_is_left_out_whole(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert call("submit", "run", "--model", "noisy", "--to", "to") == 0
    folder = next(Path("to").iterdir())
    path = folder / "records/as-is/georgia.json"
    path.write_text(path.read_text().replace('"positives": 20', '"positives": 19'))
    capsys.readouterr()
    assert call("report", "other", "to", "--out", "board") == 0
    assert f"{folder.name} is left out: " in capsys.readouterr().out
    cells = json.loads(Path("board/leaderboard.json").read_text())["cells"]
    assert {cell["model"]["name"] for cell in cells} == {"theirs"}
    with pytest.raises(UsageError, match="None of these results can be shown"):
        call("report", "to", "--out", "nothing")
    assert not Path("nothing").exists()


def test_the_report_of_one_run_stays_in_the_run(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert call("report", "run") == 0
    assert Path("run/report.json").is_file()
    assert "run/leaderboard.html" in capsys.readouterr().out
    with pytest.raises(UsageError, match=r"has a run\.json; name another folder"):
        call("report", "run", "other", "--out", "run")
    with pytest.raises(UsageError, match=r"No run\.json"):
        call("report", "nowhere")
