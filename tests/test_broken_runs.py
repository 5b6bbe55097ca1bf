"""A run of two dozen broken models in workers: each is one clear line, and the run is finished."""

from __future__ import annotations

import os
import platform
import subprocess
import sys
from pathlib import Path

import pytest

from benchmark.records.record import load_record
from benchmark.records.run_file import PlannedCell
from benchmark.records.run_folder import load_run_file
from tests.releases import write_challenge

PLUGINS = Path(__file__).parent / "plugins"
GOOD = f"{PLUGINS / 'good.py'}:Amplitude"
OPTIONS = ("--data=data", "--out=run", "--resamples=20", "--deadline=3", "--memory=4", "--batch-size=8")
BROKEN = [
    "answers:WrongShape",
    "answers:OneRecordMissing",
    "answers:NotANumber",
    "answers:Infinite",
    "answers:Strings",
    "answers:Generator",
    "answers:Dict",
    "answers:HostileMessage",
    "answers:RaisesOnTheThirdBatch",
    "cards:NoCard",
    "cards:NoPredict",
    "cards:UnknownField",
    "cards:UnknownOutput",
    "cards:PathInName",
    "cards:RaisingCard",
    "cards:EndlessInput",
    "construction:MissingWeights",
    "construction:AsksForInput",
    "connection:Garbage",
    "deaths:Exits",
    "deaths:Segfault",
    "deaths:Killed",
    "deaths:Sleeps",
    "deaths:Allocates",
    "missing_import:Model",
]
NOISY = ["noise:Prints", "noise:Forks", "noise:MutatesItsInput"]


def spec_of(name: str) -> str:
    file, _, model = name.partition(":")
    return f"{PLUGINS / 'broken' / file}.py:{model}"


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> tuple[subprocess.CompletedProcess[str], Path]:
    home = tmp_path_factory.mktemp("home")
    write_challenge(home / "data", "georgia", records=24)
    syntax = home / "syntax.py"
    syntax.write_text("def broken(:\n")
    named = [*map(spec_of, BROKEN), f"{syntax}:Model", *map(spec_of, NOISY), GOOD]
    command = [sys.executable, "-m", "benchmark", "run", *OPTIONS, "--python", sys.executable]
    for spec in named:
        command += ["--model", spec]
    environment = {key: value for key, value in os.environ.items() if not key.startswith("LEADBOARD_")}
    environment |= {"LEADBOARD_CACHE": str(home / "cache"), "PYTHONPATH": str(Path(__file__).parents[1])}
    answer = subprocess.run(
        command,
        cwd=home,
        env=environment,
        capture_output=True,
        text=True,
        timeout=250,
        stdin=subprocess.DEVNULL,
    )
    return answer, home / "run"


def cells(folder: Path, status: str) -> list[PlannedCell]:
    return [cell for cell in load_run_file(folder).cells if cell.status == status]


def test_the_run_is_finished_and_says_how_many_failed(
    finished: tuple[subprocess.CompletedProcess[str], Path],
) -> None:
    answer, folder = finished
    assert answer.returncode == 1, answer.stderr
    assert "Traceback" not in answer.stderr
    assert f"{len(BROKEN) + 1} failed" in answer.stdout
    assert (folder / "leaderboard.html").is_file()
    assert not cells(folder, "planned")


def test_every_failure_is_one_clear_line(finished: tuple[subprocess.CompletedProcess[str], Path]) -> None:
    answer, folder = finished
    failed = cells(folder, "failed")
    assert len(failed) == len(BROKEN) + 1
    for cell in failed:
        assert cell.reason
        assert cell.reason.isprintable()
        assert len(cell.reason) < 700
    told = [line for line in answer.stderr.splitlines() if line.startswith("FAILED ")]
    assert len(told) == len(failed)


def test_those_that_only_make_noise_are_scored(
    finished: tuple[subprocess.CompletedProcess[str], Path],
) -> None:
    _, folder = finished
    assert len(cells(folder, "done")) == len(NOISY) + 1
    assert "amplitude" in {cell.model for cell in cells(folder, "done")}


def test_results_name_the_versions_that_the_model_ran_with(
    finished: tuple[subprocess.CompletedProcess[str], Path],
) -> None:
    _, folder = finished
    packages = load_record(folder / "amplitude/as-is/georgia.json").provenance.packages
    assert packages["model's python"] == platform.python_version()
    assert packages["model's numpy"] == packages["numpy"]
