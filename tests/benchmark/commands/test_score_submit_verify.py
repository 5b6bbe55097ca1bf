"""``score --cohort``, ``submit`` and ``verify`` as they are called: what they print, and exit codes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from cyclopts import CycloptsError

from benchmark.cli import app
from benchmark.config import Places
from cohorts.errors import UsageError
from tests.benchmark.tiny_run import edit_json, make_places, make_run


@pytest.fixture(scope="module")
def places(tmp_path_factory: pytest.TempPathFactory) -> Places:
    return make_places(tmp_path_factory.mktemp("home"))


@pytest.fixture
def run(tmp_path: Path, places: Places, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("LEADBOARD_CACHE", str(places.cache))
    monkeypatch.delenv("LEADBOARD_DATA", raising=False)
    return make_run(tmp_path, places)


def call(*arguments: str) -> int:
    code = app(arguments, exit_on_error=False, print_error=False, result_action="return_value")
    assert isinstance(code, int)
    return code


def test_score_submit_verify(run: Path, places: Places, capsys: pytest.CaptureFixture[str]) -> None:
    data = ("--data", str(places.data))
    file = str(run / "noisy/as-is/georgia.parquet")
    Path("card.yaml").write_text("name: theirs\ntrained_on: [ptb-xl]\n")
    assert call("score", file, "--cohort", "georgia", "--card", "card.yaml", "--out", "run", *data) == 0
    printed = capsys.readouterr().out
    assert "macro of 2" in printed
    assert "georgia is external to theirs: 40 records scored, out of all records." in printed
    assert "Saved: run/theirs/predictions/georgia.json" in printed
    assert "'leadboard report run' shows it" in printed

    assert call("submit", "run", "--model", "theirs", "--to", "submissions") == 0
    assert "1 result packed: submissions/theirs-" in capsys.readouterr().out
    folder = str(next(Path("submissions").iterdir()))

    assert call("verify", folder, *data) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 1
    assert lines[0].endswith(" checks agree, 0 differ, 0 could not be made.")

    assert call("verify", folder) == 0
    lines = capsys.readouterr().out.splitlines()
    place = "records/predictions/georgia.json"
    assert lines[0] == f"Not checked: {place}: numbers: cohort georgia is not on this machine"
    assert lines[-1].endswith(" checks agree, 0 differ, 1 could not be made.")

    edit_json(
        Path(folder) / place, lambda record: record["evaluation"]["concepts"]["AF"].update(positives=19)
    )
    assert call("verify", folder, "--json", *data) == 1
    answer = json.loads(capsys.readouterr().out)
    assert set(answer) == {"agree", "differences", "unchecked", "remarks"}
    said = [difference["what"] for difference in answer["differences"] if difference["where"] == place]
    assert "is not the file of the manifest (its SHA-256 differs)" in said
    assert "evaluation.concepts.AF.positives is stated as 19, but it is 20" in said
    assert call("verify", folder, *data) == 1
    assert f"Differs: {place}: is not the file of the manifest" in capsys.readouterr().out


def test_score_prints_the_whole_record_and_what_is_missing(
    run: Path, places: Places, capsys: pytest.CaptureFixture[str]
) -> None:
    import pandas as pd

    pd.read_parquet(run / "noisy/as-is/georgia.parquet").iloc[1:].to_csv("most.csv", index=False)
    options = ("--cohort", "georgia", "--name", "theirs", "--out", "run", "--data", str(places.data))
    with pytest.raises(UsageError, match="leave them out with --allow-missing"):
        call("score", "most.csv", *options)
    assert call("score", "most.csv", *options, "--allow-missing", "--json") == 0
    printed = capsys.readouterr()
    record = json.loads(printed.out)
    assert (record["protocol"], record["relation"], record["records"]["scored"]) == (
        "predictions",
        "unknown",
        39,
    )
    assert "No prediction was submitted for 1 of 40 records (E00001)" in printed.err


def test_a_wrong_file_or_card_costs_no_preparation(
    run: Path, places: Places, monkeypatch: pytest.MonkeyPatch
) -> None:
    prepared: list[str] = []
    monkeypatch.setattr("benchmark.run.cohorts.prepare_cohort", lambda cohort, *_: prepared.append(cohort))
    on_georgia = ("--cohort", "georgia", "--out", "run", "--data", str(places.data))
    Path("wrong.csv").write_text("record_id,AFF\nE00001,1\n")
    Path("right.csv").write_text("record_id,AF\nE00001,1\n")
    Path("card.yaml").write_text("name: theirs\ntrained_on: [gerogia]\n")
    for file, card, words in (
        ("wrong.csv", ("--name", "theirs"), "Unknown concept 'AFF'"),
        ("right.csv", (), "no name"),
        ("right.csv", ("--card", "card.yaml"), "Did you mean 'georgia'"),
        ("right.csv", ("--name", "theirs", "--seed", "5"), "has 50 resamples and seed 0"),
    ):
        with pytest.raises(UsageError, match=words):
            call("score", file, *on_georgia, *card)
    assert prepared == []


ON_LABELS = ("score", "x.csv", "--labels", "y.csv")
ON_COHORT = ("score", "x.csv", "--cohort", "georgia")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("score", "x.csv"), "Give one of --labels .* and --cohort"),
        ((*ON_LABELS, "--cohort", "georgia"), "Give one of --labels .* and --cohort"),
        ((*ON_LABELS, "--name", "mine"), "^--name belongs to --cohort; give that, or leave it out"),
        (
            (*ON_LABELS, "--name", "mine", "--out", "run"),
            "^--name and --out belong to --cohort; .* leave them",
        ),
        ((*ON_COHORT, "--probabilities"), "^--probabilities belongs to --labels"),
        ((*ON_COHORT, "--reader", "me=me.csv"), "^--reader belongs to --labels"),
        ((*ON_LABELS, "--decisions", "d.csv"), "^--decisions belongs to --challenge"),
        ((*ON_LABELS, "--recalibrate", "9"), "^--recalibrate belongs to --probabilities"),
        ((*ON_LABELS, "--probabilities", "--recalibrate", "0"), '"0" for --recalibrate'),
        ((*ON_LABELS, "--reader", "me.csv"), "is not NAME=FILE"),
        ((*ON_LABELS, "--seed", "-1"), '"-1" for --seed'),
        ((*ON_COHORT, "--resamples", "0"), '"0" for --resamples'),
        ((*ON_COHORT, "--resamples", "99999999999"), '"99999999999" for --resamples'),
        (("score", "nowhere.csv", "--cohort", "georgia", "--name", "mine"), r"nowhere\.csv.* No such file"),
        (("submit", "nowhere"), r"No run\.json in nowhere"),
        (("verify", "nowhere"), "nowhere.* No such file"),
        (("verify", "."), "is no submission"),
    ],
)
def test_wrong_calls(
    arguments: tuple[str, ...], words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("LEADBOARD_DATA", raising=False)
    for name in ("x.csv", "y.csv", "d.csv"):
        (tmp_path / name).touch()
    with pytest.raises((UsageError, CycloptsError), match=words):
        call(*arguments)


@pytest.mark.parametrize(
    "arguments",
    [
        ("run", "--seed", "-1"),
        ("run", "--resamples", "0"),
        ("run", "--resamples", "20001"),
        ("run", "--batch-size", "0"),
        ("run", "--workers", "0"),
        ("run", "--deadline", "nan"),
        ("run", "--deadline", "0.0"),
        ("run", "--memory", "nan"),
        ("train", "prevalence", "--seed", "-1"),
        ("train", "prevalence", "--workers", "0"),
        ("pretrain", "prevalence", "--seed", str(2**32)),
        ("simulate", "--out", "x", "--seed", "-1"),
        ("simulate", "--out", "x", "--scale", "nan"),
    ],
)
def test_numbers_out_of_range_are_refused_before_anything_runs(arguments: tuple[str, ...]) -> None:
    with pytest.raises(CycloptsError, match=f'"{arguments[-1]}" for {arguments[-2]}'):
        call(*arguments)
