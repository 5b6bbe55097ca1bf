"""Whatever is damaged beside a result is noticed, said, and made again from what is whole."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmark.records.predictions import load_predictions, save_predictions
from benchmark.records.record import load_record
from benchmark.records.run_folder import load_run_file
from tests.benchmark.run.damaged import (
    CELLS,
    Damage,
    again,
    change_a_score,
    empty,
    exchange,
    flip,
    results,
    times_built,
    truncate,
)
from tests.benchmark.tiny_run import edit_json


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
