"""What is in a run is what its records say: its plan is made again from them, and nothing falls out of it."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from benchmark.records.record import load_record
from benchmark.records.run_folder import load_run, load_run_file
from benchmark.report.writing import write_report
from cohorts.errors import UsageError
from tests.benchmark.run.damaged import (
    CELLS,
    COUNTING,
    again,
    cells_on_page,
    exchange,
    results,
    truncate,
)
from tests.benchmark.tiny_run import edit_json


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


@pytest.mark.parametrize("version", [1, 3])
def test_of_a_run_file_of_another_schema_is_kept_what_can_be_read(
    home: Path, folder: Path, version: int, caplog: pytest.LogCaptureFixture
) -> None:
    again(home, folder, "prevalence")
    whole = load_run_file(folder)

    def edit(content: Any) -> None:
        content["schema_version"] = version
        content["title"] = "of a field that this version does not know"
        content["absent"].append({"cohort": "x", "why": "other words for it"})
        for at, cell in enumerate(content["cells"]):
            cell["place"] = at
        failed = content["cells"][0] | {"cohort": "sph", "status": "failed", "reason": "out of memory"}
        content["cells"] += [failed, {"model": "no cell"}, "nor this"]

    edit_json(folder / "run.json", edit)
    (folder / CELLS / "georgia.json").write_text('{"schema_version": 1}')
    content, records = load_run(folder)
    assert f"is of schema {version}, and this version reads schema 2" in caplog.messages[0]
    assert "Made again from 4 records." in caplog.messages[0]
    assert (content.seed, content.resamples, content.warnings) == (0, 50, whole.warnings)
    assert len(records) == 3
    reasons = {cell.name: cell.reason for cell in content.cells if cell.status == "failed"}
    assert reasons.pop((whole.cells[0].model, "as-is", "sph")) == "out of memory"
    (reason,) = reasons.values()
    assert reason is not None
    assert reason.startswith("counting/as-is/georgia.json is not a result record of schema 3")
    assert again(home, folder).computed == 1
    states = {(cell.model, cell.cohort): cell.status for cell in load_run_file(folder).cells}
    assert states.pop((whole.cells[0].model, "sph")) == "failed"  # of a call of its own; nobody took it back
    assert states == {(cell.model, cell.cohort): "done" for cell in whole.cells}


def test_an_old_run_file_without_a_version_is_read_as_it_is(
    home: Path, folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    def edit(content: Any) -> None:
        del content["schema_version"], content["absent_models"]
        for cell in content["cells"]:
            del cell["files"]

    edit_json(folder / "run.json", edit)
    assert again(home, folder).computed == 0
    assert not caplog.messages


def test_a_missing_run_file_is_made_again_from_the_records(home: Path, folder: Path) -> None:
    again(home, folder, "prevalence")
    before = results(folder)
    (folder / "run.json").unlink()
    assert again(home, folder).sentence == "Nothing to do: all 2 cells are done."
    assert sorted(results(folder), key=str) == sorted(before, key=str)


def test_a_record_that_stands_in_no_plan_is_found_again(home: Path, folder: Path) -> None:
    again(home, folder, "prevalence")
    edit_json(
        folder / "run.json",
        lambda content: content.update(cells=[c for c in content["cells"] if c["model"] != "prevalence"]),
    )
    again(home, folder)
    assert {cell.model for cell in load_run_file(folder).cells} == {"counting", "prevalence"}
    again(home, folder, resamples=60)  # those of prevalence do not fit any more
    assert {cell.model for cell in load_run_file(folder).cells} == {"counting"}


def test_a_record_in_the_place_of_another_is_no_result(
    home: Path, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    again(home, folder, "prevalence")
    exchange(folder / "prevalence/as-is/georgia.json")
    content, records = load_run(folder)
    assert [(record.model.name, record.cohort.id) for record in records].count(("prevalence", "ptb-xl")) == 1
    (failed,) = (cell for cell in content.cells if cell.status == "failed")
    assert failed.reason == (
        "prevalence/as-is/georgia.json is the record of another cell; run the cell again."
    )
    capsys.readouterr()
    again(home, folder)
    assert "Left out of the table: prevalence on georgia: " in capsys.readouterr().err
    write_report(folder)
    assert ("prevalence", "georgia") not in cells_on_page(folder)


@pytest.mark.parametrize("suffix", ["parquet", "resamples.npz"])
def test_damage_beside_a_result_of_another_model_is_said(
    home: Path, folder: Path, suffix: str, capsys: pytest.CaptureFixture[str]
) -> None:
    again(home, folder, "prevalence")
    truncate(folder / f"prevalence/as-is/georgia.{suffix}")
    capsys.readouterr()
    for _ in range(2):
        again(home, folder)
        said = capsys.readouterr().err
        assert "prevalence on georgia: " in said
        assert "name it with --model to run it again." in said
    assert again(home, folder, "prevalence").computed == 1
    capsys.readouterr()
    again(home, folder)
    assert "name it with --model" not in capsys.readouterr().err


def test_an_edited_record_of_another_model_is_no_result_until_it_is_run(
    home: Path, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    again(home, folder, "prevalence")
    again(home, folder)
    edit_json(
        folder / "prevalence/as-is/georgia.json",
        lambda record: record["evaluation"]["concepts"]["AF"]["auroc"].update(value=1.0),
    )
    capsys.readouterr()
    for _ in range(2):
        again(home, folder)
        (cell,) = (cell for cell in load_run_file(folder).cells if cell.status == "failed")
        assert (cell.model, cell.cohort) == ("prevalence", "georgia")
        assert cell.reason is not None
        assert cell.reason.startswith("georgia.json was changed after it was made")
    assert "prevalence on georgia: georgia.json was changed after it was made" in capsys.readouterr().err
    assert again(home, folder, "prevalence").computed == 1
    assert all(cell.status == "done" for cell in load_run_file(folder).cells)
    assert load_record(folder / "prevalence/as-is/georgia.json").evaluation.concepts["AF"].auroc.value != 1


def test_a_model_that_fails_stays_on_the_page_until_it_is_run(home: Path, folder: Path) -> None:
    plugin = home / "failing.py"
    plugin.write_text(COUNTING.replace("counting", "failing") + "        raise RuntimeError('no wave')\n")
    plugin.write_text(plugin.read_text().replace("        return batch.signals.std(axis=2)[:, :2]\n", ""))
    failing = f"{plugin}:Counting"
    assert again(home, folder, failing).failed == 2
    again(home, folder)
    write_report(folder)
    content = json.loads((folder / "leaderboard.json").read_text())
    without = {(cell["model"], cell["cohort"]) for cell in content["without_result"]}
    assert without == {("failing", "georgia"), ("failing", "ptb-xl")}
    assert "no wave" in (folder / "leaderboard.html").read_text()
    plugin.write_text(COUNTING.replace("counting", "failing"))
    assert again(home, folder, failing).failed == 0
    assert all(cell.status == "done" for cell in load_run_file(folder).cells)


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
    write_report(folder)
    content = json.loads((folder / "leaderboard.json").read_text())
    without = [(cell["model"], cell["cohort"], cell["reason"]) for cell in content["without_result"]]
    assert [cell[:2] for cell in without] == [(broken, "georgia"), (broken, "ptb-xl")]
    assert all("raised RuntimeError at broken.py:1: no" in reason for _, _, reason in without)
    assert cells_on_page(folder) == {("counting", "georgia"), ("counting", "ptb-xl")}
    again(home, folder)  # which is another call: it did not ask for the broken one
    assert {cell.model for cell in load_run_file(folder).cells} == {"counting"}
