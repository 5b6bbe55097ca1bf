"""Whatever is damaged beside a result is noticed, said, and made again from what is whole."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from benchmark.config import Places
from benchmark.progress import Reporter
from benchmark.protocols.hardware import Hardware
from benchmark.records.measuring import RunSettings
from benchmark.records.predictions import load_predictions, save_predictions
from benchmark.records.record import ResultRecord, load_record
from benchmark.records.run_folder import load_run, load_run_file
from benchmark.run.runner import Outcome, run
from benchmark.run.states import RunOptions
from cohorts.errors import UsageError
from tests.benchmark.tiny_run import edit_json
from tests.releases import write_challenge, write_ptb_xl

COUNTING = """
from pathlib import Path

class Counting:
    card = {"name": "counting", "outputs": ["AF", "LVH"], "trained_on": []}

    def __init__(self):
        with (Path(__file__).parent / "asked").open("a") as file:
            file.write("x")

    def predict(self, batch):
        return batch.signals.std(axis=2)[:, :2]
"""
CELLS = "counting/as-is"
Damage = Callable[[Path], object]


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Releases, a model that counts how often it is built, and a finished run of it."""
    folder = tmp_path_factory.mktemp("home")
    write_ptb_xl(folder / "data")
    write_challenge(folder / "data", "georgia")
    (folder / "counting.py").write_text(COUNTING)
    assert again(folder, folder / "run").failed == 0
    return folder


@pytest.fixture
def folder(home: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(home / "run", tmp_path / "run"))


def again(home: Path, folder: Path, *more: str, resamples: int = 50) -> Outcome:
    options = RunOptions(
        folder,
        Places(home / "data", home / "cache"),
        RunSettings(resamples=resamples),
        Hardware(),
        (f"{home / 'counting.py'}:Counting", *more),
    )
    return run(options, Reporter())


def times_built(home: Path) -> int:
    return len((home / "asked").read_text())


def results(folder: Path) -> list[ResultRecord]:
    """Records without the hour they were made at."""
    found = load_run(folder)[1]
    same = {"created": "", "seconds": 0.0, "records_per_second": 0.0}
    return [
        record.model_copy(update={"provenance": record.provenance.model_copy(update=same)})
        for record in found
    ]


def truncate(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def empty(path: Path) -> None:
    path.write_bytes(b"")


def exchange(path: Path) -> None:
    """Put the whole file of the other cohort there."""
    shutil.copyfile(path.with_name(path.name.replace("georgia", "ptb-xl")), path)


def flip(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def change_a_score(path: Path) -> None:
    table, key = load_predictions(path)
    table["AF"] = table["AF"].to_numpy() + np.eye(len(table), dtype=np.float32)[3]
    save_predictions(table, key, path)


@pytest.mark.parametrize(
    ("suffix", "scored", "damage"),
    [
        *(("parquet", True, damage) for damage in (truncate, empty, exchange, Path.unlink, change_a_score)),
        *(("resamples.npz", False, damage) for damage in (truncate, empty, exchange, Path.unlink, flip)),
    ],
)
def test_a_damaged_file_beside_a_record_is_made_again(
    home: Path,
    folder: Path,
    suffix: str,
    scored: bool,
    damage: Damage,
    capsys: pytest.CaptureFixture[str],
) -> None:
    before, built = results(folder), times_built(home)
    damage(folder / CELLS / f"georgia.{suffix}")
    outcome = again(home, folder)
    assert (outcome.computed, outcome.failed) == (1, 0)
    said = capsys.readouterr().err
    assert "computed again: counting on georgia: " in said
    assert f"georgia.{suffix}" in said
    assert times_built(home) - built == (2 if scored else 1)  # once to see its card
    assert results(folder) == before
    assert again(home, folder).sentence == "Nothing to do: all 2 cells are done."


@pytest.mark.parametrize("damage", [truncate, empty, change_a_score])
def test_damaged_predictions_are_not_measured_under_other_settings(
    home: Path, folder: Path, damage: Damage, capsys: pytest.CaptureFixture[str]
) -> None:
    before, built = load_record(folder / CELLS / "georgia.json"), times_built(home)
    damage(folder / CELLS / "georgia.parquet")
    assert again(home, folder, resamples=60).computed == 2
    assert "counting on georgia is scored again: " in capsys.readouterr().err
    assert times_built(home) - built == 2
    assert load_record(folder / CELLS / "georgia.json").predictions == before.predictions


@pytest.mark.parametrize("damage", [truncate, empty, Path.unlink, change_a_score])
def test_without_whole_validation_scores_no_threshold_can_be_checked(
    home: Path, folder: Path, damage: Damage, capsys: pytest.CaptureFixture[str]
) -> None:
    before = results(folder)
    damage(folder / CELLS / "validation.parquet")
    assert again(home, folder).computed == 1  # on the source's own records there are no thresholds
    said = capsys.readouterr().err
    assert "computed again: counting on georgia: " in said
    assert ("scores the validation fold again" in said) == (damage is not Path.unlink)
    assert results(folder) == before


def test_damaged_thresholds_are_chosen_again(
    home: Path, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    truncate(folder / CELLS / "thresholds.json")
    before = results(folder)
    (folder / CELLS / "georgia.json").unlink()
    again(home, folder)
    assert "thresholds.json is damaged" in capsys.readouterr().err
    assert results(folder) == before


def test_an_edited_record_is_made_again_without_the_model(
    home: Path, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before, built = results(folder), times_built(home)
    edit_json(
        folder / CELLS / "georgia.json", lambda r: r["evaluation"]["concepts"]["AF"]["auroc"].update(value=1)
    )
    assert again(home, folder).computed == 1
    assert "georgia.json was changed after it was made" in capsys.readouterr().err
    assert times_built(home) - built == 1
    assert results(folder) == before


def test_files_that_were_found_whole_are_not_read_again(
    home: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise AssertionError("read though its bytes are the same")

    for name in ("load_predictions", "load_resamples"):
        monkeypatch.setattr(f"benchmark.run.finished.{name}", refuse)
    before = (folder / "run.json").read_bytes()
    assert again(home, folder).computed == 0
    assert (folder / "run.json").read_bytes() == before


def test_tables_whose_bytes_differ_and_content_does_not_stay(home: Path, folder: Path) -> None:
    path = folder / CELLS / "georgia.parquet"
    save_predictions(*load_predictions(path), path)
    edit_json(folder / "run.json", lambda content: [cell.pop("files") for cell in content["cells"]])
    assert again(home, folder).computed == 0
    assert all(cell.files for cell in load_run_file(folder).cells)


@pytest.mark.parametrize("content", [b"", b"{", b'{"name": "x"}', b'{"seed": NaN}'])
def test_a_damaged_run_file_is_made_again_from_the_records(
    home: Path, folder: Path, content: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    whole = load_run_file(folder)
    (folder / "georgia/as-is").mkdir(parents=True)
    shutil.copyfile(folder / CELLS / "georgia.json", folder / "georgia/as-is/georgia.json")  # out of place
    (folder / "run.json").write_bytes(content)
    rebuilt = load_run_file(folder)
    assert f"{folder / 'run.json'}" in caplog.messages[0]
    assert "Made again from 2 records." in caplog.messages[0]
    assert (rebuilt.seed, rebuilt.resamples) == (0, 50)
    expected = [cell.model_copy(update={"files": {}}) for cell in whole.cells]
    assert sorted(rebuilt.cells, key=str) == sorted(expected, key=str)
    assert again(home, folder, "prevalence").computed == 2
    assert len(load_run_file(folder).cells) == 4


def test_a_damaged_run_file_without_records_is_of_the_usual_settings(tmp_path: Path) -> None:
    (tmp_path / "run.json").write_text("{")
    found = load_run_file(tmp_path)
    assert (found.cells, found.seed, found.resamples) == ((), 0, 10_000)
    (tmp_path / "run.json").unlink()
    with pytest.raises(UsageError, match=r"No run\.json in"):
        load_run_file(tmp_path)


def test_records_of_other_resamples_are_not_put_together(home: Path, folder: Path) -> None:
    again(home, folder, "prevalence", resamples=60)
    edit_json(folder / CELLS / "georgia.json", lambda r: r["evaluation"]["bootstrap"].update(resamples=70))
    (folder / "run.json").write_text("{")
    found = load_run_file(folder)
    assert found.resamples == 60
    assert len(found.cells) == 3


def test_a_broken_model_is_named_and_nothing_is_said_to_be_done(home: Path, folder: Path) -> None:
    (home / "broken.py").write_text("raise RuntimeError('no')\n")
    broken = f"{home / 'broken.py'}:Broken"
    outcome = again(home, folder, broken)
    assert (outcome.cells, outcome.computed, outcome.failed) == (4, 0, 2)
    assert outcome.sentence == (
        f"0 of 4 cells computed now, 2 failed. Without a result: {broken} on georgia, ptb-xl."
    )
    before = (folder / "run.json").read_bytes()
    again(home, folder, broken)
    assert (folder / "run.json").read_bytes() == before
    load_record(folder / CELLS / "georgia.json")
