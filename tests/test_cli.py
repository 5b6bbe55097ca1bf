"""The real command line, as a user calls it."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from benchmark.records.record import load_record
from tests.commands import COMMAND, Printed, command, environment

PLUGINS = Path(__file__).parent / "plugins"
GOOD = f"{PLUGINS / 'good.py'}:Amplitude"
FOUNDATION = f"{PLUGINS / 'foundation.py'}:Foundation"


def leadboard(home: Path, *arguments: str, code: int = 0) -> subprocess.CompletedProcess[str]:
    answer = subprocess.run(
        (*COMMAND, *arguments), cwd=home, env=environment(home), capture_output=True, text=True, timeout=120
    )
    assert answer.returncode == code, answer.stderr
    assert "Traceback" not in answer.stderr
    return answer


Inside = Callable[..., Printed]


@pytest.fixture
def inside(home: Path) -> Inside:
    """Call a command in this process."""
    return partial(command, home)


def test_run_then_run_again(home: Path) -> None:
    models = ("--model", "prevalence", "--model", GOOD)
    arguments = ("run", "--data", "data", *models, "--out", "run", "--resamples", "50")
    first = leadboard(home, *arguments)
    assert "2 models and protocols x 2 cohorts = 4 cells, 4 to compute" in first.stderr
    assert "4 of 4 cells computed now, 0 failed" in first.stdout
    for name in ("leaderboard.html", "leaderboard.md", "leaderboard.csv", "leaderboard.json", "run.json"):
        assert (home / "run" / name).stat().st_size > 0
    again = command(home, *arguments)
    assert "Nothing to do: all 4 cells are done." in again.out
    command(home, "report", "run")


def test_cohorts_as_json(inside: Inside) -> None:
    rows = {row["id"]: row for row in json.loads(inside("cohorts", "--data", "data", "--json").out)}
    assert set(rows) >= {
        "ptb-xl",
        "cpsc-2018",
        "cpsc-2018-extra",
        "chapman-shaoxing",
        "ningbo",
        "georgia",
        "ptb",
        "incart",
    }
    assert (rows["georgia"]["found"], rows["georgia"]["records"]) == (True, 40)
    assert (rows["ningbo"]["found"], rows["ningbo"]["records"]) == (False, None)
    inside("prepare", "georgia", "--data", "data")
    rows = {row["id"]: row for row in json.loads(inside("cohorts", "--data", "data", "--json").out)}
    assert rows["georgia"]["quarantined"] == 0


def test_lists_for_people(inside: Inside) -> None:
    assert "georgia" in inside("cohorts", "--data", "data").out
    assert "resnet1d" in inside("models").out
    assert "IAVB" in inside("concepts").out
    assert {row["id"] for row in json.loads(inside("concepts", "--json").out)} > {
        "AF",
        "NORM",
        "LBBB",
    }


def test_simulate_and_find_what_two_releases_share(inside: Inside) -> None:
    inside("simulate", "ptb-xl", "challenge-ptb-xl", "--out", "simulated", "--scale", "0.02")
    rows = json.loads(inside("cohorts", "--data", "simulated", "--json").out)
    assert {row["id"] for row in rows if row["simulated"]} == {"ptb-xl", "challenge-ptb-xl"}
    arguments = ("overlap", "challenge-ptb-xl", "ptb-xl", "--data", "simulated")
    answer = json.loads(inside(*arguments, "--json").out)
    assert answer["shared_a"] == answer["records_a"] == len(answer["shared"])
    assert all(int(pair["record_a"].removeprefix("HR")) == int(pair["record_b"]) for pair in answer["shared"])
    assert "are also in ptb-xl" in inside(*arguments).out


def test_score_works_in_an_empty_folder(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    truth = rng.integers(0, 2, 50)
    ids = [f"r{i:03d}" for i in range(50)]
    pd.DataFrame({"record_id": ids, "my disease": truth + rng.normal(0, 1, 50)}).to_csv(
        tmp_path / "s.csv", index=False
    )
    pd.DataFrame({"record_id": ids, "my disease": truth}).to_csv(tmp_path / "l.csv", index=False)
    answer = json.loads(
        command(
            tmp_path, "score", "s.csv", "--labels", "l.csv", "--resamples", "200", "--seed", "3", "--json"
        ).out
    )
    assert set(answer["macro"]["auroc"]) >= {"value", "low", "high"}
    concept = answer["concepts"]["my disease"]
    assert (concept["n"], concept["positives"], concept["eligible"]) == (50, int(truth.sum()), True)
    assert concept["auroc"]["low"] < concept["auroc"]["value"] < concept["auroc"]["high"]
    assert "my disease" in command(tmp_path, "score", "s.csv", "--labels", "l.csv").out


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["run", "--data", "data", "--cohort", "gerogia"], "Did you mean 'georgia'"),
        (["run", "--data", "data", "--model", "resnt1d"], "Did you mean 'resnet1d'"),
        (["run", "--data", "no-such-folder"], "No folder no-such-folder"),
        (["run"], "--data"),
        (
            ["cohorts", "georgia"],
            "leadboard cohorts does not take 'georgia' here",
        ),
        (["run", "--data", "data", "--cohort", "ningbo"], "leadboard.toml"),
        (["run", "--data", "data", "--resamples", "0"], "--resamples"),
        (["run", "--data", "data", "--seed", "-1"], "--seed"),
        (["run", "--data", "data", "--deadline", "nan"], "--deadline"),
        (["run", "--data", "data", "--memory", "nan"], "--memory"),
        (["run", "--data", "data", "--resamples", "99999999999"], "--resamples"),
        (["run", "--data", "data", "--out", "data/ptb-xl/ptbxl_database.csv"], "It is a file, not a folder"),
        (["run", "--data", "data", "--pretrain-on", "nosuch"], "Unknown cohort 'nosuch'"),
        (["run", "--data", "data", "--pretrain-on", "ningbo"], "ningbo was not found"),
        (["run", "--data", "data", "--source", "nosuch"], "Unknown cohort 'nosuch'"),
        (["pretrain", FOUNDATION, "--data", "data", "--seed", "-1"], "--seed"),
        (["score", "data/ptb-xl/ptbxl_database.csv", "--cohort", "georgia", "--seed", "-1"], "--seed"),
        (["submit", "data", "--to", "data/ptb-xl/ptbxl_database.csv"], "It is a file, not a folder"),
        (["simulate", "georgia", "--out", "data/ptb-xl/ptbxl_database.csv"], "It is a file, not a folder"),
        (["run", "--data", "data", "--device", "cuda:77"], "cuda:77"),
        (["run", "--data", "data", "--model", "nowhere.py:Model"], "No file"),
        (["run", "--dat", "data"], "--dat"),
        (["prepare", "nowhere", "--data", "data"], "Unknown cohort 'nowhere'"),
        (["train", "nothing", "--data", "data"], "Unknown model 'nothing'"),
        (["score", "missing.csv", "--labels", "missing.csv"], "missing.csv"),
        (["score", "data/ptb-xl/ptbxl_database.csv"], "labels"),
        (["report", "nowhere"], "leadboard run"),
        (["frobnicate"], "frobnicate"),
        (["download", "--data", "data"], "No cohort was named"),
        (["download", "gerogia", "--data", "data"], "Did you mean 'georgia'"),
        (["download", "georgia"], "--data"),
        (["download", "georgia", "--data", "data/ptb-xl/ptbxl_database.csv"], "It is a file, not a folder"),
        (["download", "georgia", "--data", "data/ptb-xl/ptbxl_database.csv/x"], "a file, not a folder"),
        (["download", "georgia", "--data", "data", "--mirror", "ftp://nowhere"], "ftp://nowhere"),
        (["simulate", "gerogia", "--out", "sim"], "Did you mean 'georgia'"),
        (["simulate", "georgia", "--out", "sim", "--scale", "0"], "scale"),
        (["simulate", "georgia", "--out", "data"], "not simulated"),
        (["overlap", "ningbo", "georgia", "--data", "data"], "ningbo was not found"),
        (["overlap", "georgia", "--data", "data"], "Name two cohorts"),
        (["overlap", "--fingerprints", "georgia", "--data", "data"], "--out FILE"),
        (["overlap", "georgia", "--out", "new.fingerprints", "--data", "data"], "--out FILE"),
        (["overlap", "--fingerprints", "gerogia", "--out", "x", "--data", "data"], "Did you mean 'georgia'"),
        (["run", "--data", "data", "--fingerprints", "x"], 'value "x" for --fingerprints. No such file'),
        (["sample-size", "--auroc", "0.4", "--prevalence", "0.1"], "for --auroc. Must be >= 0.501"),
        (["sample-size", "--auroc", "nan", "--prevalence", "0.1"], "for --auroc. Must be"),
        (["sample-size", "--auroc", "0.9", "--prevalence", "0"], "for --prevalence. Must be >="),
        (["sample-size", "--auroc", "0.9", "--prevalence", "0.1", "--width", "2"], "--width. Must be < 0.5"),
        (["sample-size", "--auroc", "0.9", "--prevalence", "0.1", "--icc", "-1"], "for --icc. Must be >= 0"),
        (["sample-size", "--auroc", "0.9", "--prevalence", "0.1", "--difference", "0.45"], "AUROC of 0.45"),
        (
            ["sample-size", "--auroc", "0.9", "--prevalence", "0.1", "--records-per-patient", "0"],
            "for --records-per-patient. Must be >= 1",
        ),
        (["run", "--seed", "many"], "many"),
        (["run", "--data", "data", "--protocol", "zeroshot"], "Did you mean 'zero-shot'"),
        (
            ["run", "--data", "data", "--pretrain-on", "ptb-xl", "--pretrain-on", "challenge-ptb-xl"],
            "the same",
        ),
        (["pretrain", "prevalence", "--data", "data"], "cannot be pre-trained"),
        (["pretrain", FOUNDATION, "--data", "data", "--source", "ningbo"], "ningbo was not found"),
        (["pretrain", FOUNDATION, "--data", "data", "--hold-out", "AFF"], "Unknown concept 'AFF'"),
        (["train", FOUNDATION, "--data", "data"], "--protocol fine-tune-100"),
        (["weights", "prevalence", "--file", "x.pth"], "takes no published weights"),
    ],
)
def test_wrong_calls_answer_in_one_sentence(inside: Inside, arguments: list[str], words: str) -> None:
    printed = inside(*arguments, code=2)
    assert printed.out == ""
    lines = printed.err.strip().splitlines()
    assert len(lines) == 1, printed.err
    assert lines[0].startswith("leadboard: ")
    assert words in lines[0]


def test_a_terminal_breaks_the_lines_of_the_help(inside: Inside, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    said = inside("export", "--help").out
    assert "with their ids. You answer for where that file goes." in said  # a line ends there in the source
    paragraph = inside("prepare", "--help").out.splitlines()[4]
    assert paragraph.startswith("With --check ")
    assert paragraph.rstrip().endswith("three recordings are drawn.")


def test_help_answers_without_heavy_imports(home: Path) -> None:
    code = (
        "import sys; sys.argv = ['leadboard', '--help']\n"
        "import benchmark.cli\n"
        "try: benchmark.cli.main()\n"
        "except SystemExit as end: assert end.code == 0\n"
        "heavy = {'torch', 'pandas', 'numba', 'matplotlib', 'h5py', 'sklearn'} & set(sys.modules)\n"
        "assert not heavy, heavy"
    )
    answer = subprocess.run(
        [sys.executable, "-c", code], cwd=home, env=environment(home), capture_output=True, text=True
    )
    assert answer.returncode == 0, answer.stderr
    assert "prepare" in answer.stdout


def test_a_failed_cell_gives_exit_code_1(home: Path) -> None:
    answer = command(
        home,
        "run",
        "--data",
        "data",
        "--cohort",
        "georgia",
        "--model",
        f"{PLUGINS / 'bad.py'}:Raises",
        "--out",
        "bad",
        code=1,
    )
    assert "ZeroDivisionError" in answer.err
    assert "1 failed" in answer.out


def test_pre_train_then_run_under_a_protocol(home: Path, inside: Inside) -> None:
    arguments = ("pretrain", FOUNDATION, "--source", "ptb-xl", "--source", "georgia", "--data", "data")
    first = inside(*arguments)
    assert "Trained by this suite on ptb-xl and georgia; not the authors' weights." in first.out
    again = inside(*arguments).out
    assert "pre-trained already" in again
    assert again.endswith("--pretrain-on ptb-xl --pretrain-on georgia --data data\n")
    assert inside(*arguments, "--hold-out", "AF", "--seed", "3").out.count("Next:") == 0
    common = ("--data", "data", "--model", FOUNDATION, "--protocol", "zero-shot", "--resamples", "20")
    both = ("--pretrain-on", "ptb-xl", "--pretrain-on", "georgia")
    plan = inside("run", *common, *both, "--out", "pretrained").err
    assert "6 concepts, pre-trained; internal: georgia (all records), ptb-xl (test fold)" in plan
    record = load_record(home / "pretrained/foundation/zero-shot/georgia.json")
    assert record.relation == "internal"
    assert record.model.trained_on == ("ptb-xl", "georgia")


def test_published_weights_from_the_command_line(home: Path) -> None:
    brought = f"{PLUGINS / 'foundation.py'}:Brought"
    (home / "official.json").write_text('{"slope": 1.5}')
    answer = command(home, "weights", brought, "--file", "official.json")
    assert answer.out.startswith("One slope. SHA-256 ")
    (home / "official.json").write_text('{"tilt": 1.5}')
    assert (
        "holds tilt instead of slope"
        in command(home, "weights", brought, "--file", "official.json", code=1).err
    )


MOVES = """
import os
import numpy as np

class Moves:
    card = {"name": "moves", "outputs": ["AF"], "trained_on": []}

    def __init__(self):
        os.makedirs("elsewhere", exist_ok=True)
        os.chdir("elsewhere")

    def predict(self, batch):
        return np.zeros((len(batch.signals), 1))
"""


def test_a_model_that_changes_the_folder_moves_nothing(home: Path) -> None:
    place = home / "moving"
    place.mkdir()
    (place / "moves.py").write_text(MOVES)
    (place / "good.py").write_text(Path(GOOD.rpartition(":")[0]).read_text())
    arguments = ("run", "--data=../data", "--resamples=20", "--out=here", "--cohort=georgia")
    command(place, *arguments, "--model=moves.py:Moves", "--model=good.py:Amplitude")
    assert (place / "here/leaderboard.html").is_file()
    assert (place / "here/amplitude/as-is/georgia.json").is_file()
    assert not any(path.is_file() for path in (place / "elsewhere").rglob("*"))
