"""A submission holds everything that its numbers need, and nothing that should not be in it."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest

from benchmark.records.run_folder import load_run_file
from benchmark.records.submission import pack
from cohorts.cohort import MARKER
from cohorts.errors import LeadboardError, UnknownNameError, UsageError
from cohorts.locks import alone
from tests.benchmark.tiny_run import edit_json, make_places, make_run


def test_every_file_is_there_with_its_hash(run: Path, tmp_path: Path) -> None:
    folder, cells = pack(run, tmp_path / "to", "noisy")
    present = {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}
    cohorts = ("georgia", "ptb-xl")
    assert present == {
        *(f"records/as-is/{cohort}.json" for cohort in cohorts),
        *(f"predictions/as-is/{cohort}.parquet" for cohort in cohorts),
        "validation/as-is.parquet",
        "card.json",
        "environment.json",
        "manifest.json",
        "README.md",
    }
    assert {cell.record.cohort.id for cell in cells} == set(cohorts)
    manifest = json.loads((folder / "manifest.json").read_text())
    assert manifest["model"] == "noisy"
    assert manifest["files"] == {
        name: hashlib.sha256((folder / name).read_bytes()).hexdigest() for name in present - {"manifest.json"}
    }
    assert folder.name.startswith("noisy-")
    for suffix, kind in (("json", "records"), ("parquet", "predictions")):
        original = run / f"noisy/as-is/georgia.{suffix}"
        assert (folder / kind / f"as-is/georgia.{suffix}").read_bytes() == original.read_bytes()
    scores = run / "noisy/as-is/validation.parquet"
    assert (folder / "validation/as-is.parquet").read_bytes() == scores.read_bytes()
    assert json.loads((folder / "card.json").read_text())["as-is"]["trained_on"] == []
    environment = json.loads((folder / "environment.json").read_text())
    assert (environment["seed"], environment["resamples"]) == (0, 50)
    assert environment["environment"]["numpy"]


def test_the_same_results_give_the_same_folder_once(run: Path, tmp_path: Path) -> None:
    first, _ = pack(run, tmp_path / "to", "noisy")
    before = {path: path.stat().st_mtime_ns for path in first.rglob("*")}
    assert pack(run, tmp_path / "to", "noisy")[0] == first
    assert before == {path: path.stat().st_mtime_ns for path in first.rglob("*")}
    assert [path.name for path in (tmp_path / "to").iterdir()] == [first.name]


def test_another_submission_is_not_overwritten(run: Path, tmp_path: Path) -> None:
    first, _ = pack(run, tmp_path / "to", "noisy")
    edit_json(first / "manifest.json", lambda manifest: manifest["files"].pop("README.md"))
    kept = (first / "manifest.json").read_bytes()
    with pytest.raises(UsageError, match="it is not overwritten"):
        pack(run, tmp_path / "to", "noisy")
    assert (first / "manifest.json").read_bytes() == kept
    assert [path.name for path in (tmp_path / "to").iterdir()] == [first.name]


def test_what_killed_calls_have_left_is_swept_and_what_a_living_one_packs_stays(
    run: Path, tmp_path: Path
) -> None:
    dead, living, new = (tmp_path / f"to/.unfinished-{name}" for name in ("dead", "living", "new"))
    for folder in (dead, living):
        (folder / "submission/records").mkdir(parents=True)
    new.mkdir()
    with alone(living / ".lock", "packing"):
        folder, _ = pack(run, tmp_path / "to", "noisy")
    assert {path.name for path in (tmp_path / "to").iterdir()} == {living.name, new.name, folder.name}
    assert not (folder / ".lock").exists()


def test_a_model_has_to_be_named_where_there_are_several(run: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"The run has 2 models \(noisy, mine\); name one with --model"):
        pack(run, tmp_path / "to")
    with pytest.raises(UnknownNameError, match="Did you mean 'noisy'"):
        pack(run, tmp_path / "to", "nosy")
    edit_json(run / "run.json", lambda content: content.update(cells=content["cells"][2:]))
    assert pack(run, tmp_path / "to")[0].name.startswith("mine-")


@pytest.mark.parametrize(("status", "reason"), [("failed", "out of memory"), ("planned", None)])
def test_unfinished_and_failed_cells_are_refused_by_name(
    run: Path, tmp_path: Path, status: str, reason: str | None
) -> None:
    edit_json(run / "run.json", lambda content: content["cells"][1].update(status=status, reason=reason))
    with pytest.raises(UsageError) as caught:
        pack(run, tmp_path / "to", "noisy")
    assert f"1 of 2 cells of noisy are not finished: as-is on ptb-xl ({reason or 'not run yet'})" in str(
        caught.value
    )
    assert not (tmp_path / "to").exists()


def test_simulated_cells_are_refused_unless_asked_for(tmp_path: Path) -> None:
    home = tmp_path / "home"
    places = make_places(home)
    assert places.data is not None
    for release in ("ptb-xl", "challenge-2021/training/georgia"):
        (places.data / release / MARKER).touch()
    run = make_run(tmp_path, places)
    with pytest.raises(UsageError, match=r"georgia, ptb-xl are simulated: .* --simulated"):
        pack(run, tmp_path / "to", "noisy")
    assert pack(run, tmp_path / "to", "noisy", simulated=True)[0].is_dir()


def test_a_cell_that_does_not_fit_its_predictions_is_refused(run: Path, tmp_path: Path) -> None:
    record = run / "noisy/as-is/georgia.json"
    edit_json(record, lambda content: content["predictions"].update(sha256="0" * 64))
    with pytest.raises(
        LeadboardError, match="noisy/as-is/georgia has other predictions than it was made from"
    ):
        pack(run, tmp_path / "to", "noisy")
    record.write_text("{}")
    with pytest.raises(LeadboardError, match="is not a result record"):
        pack(run, tmp_path / "to", "noisy")
    record.unlink()
    with pytest.raises(LeadboardError, match=r"georgia\.json cannot be read"):
        pack(run, tmp_path / "to", "noisy")


def test_cells_of_different_weights_are_not_one_submission(run: Path, tmp_path: Path) -> None:
    edit_json(run / "noisy/as-is/ptb-xl.json", lambda content: content.update(weights_sha256=["ab"]))
    with pytest.raises(LeadboardError, match="other weights or other code than the record of georgia"):
        pack(run, tmp_path / "to", "noisy")
    assert not list((tmp_path / "to").iterdir())


def test_a_run_does_not_lead_out_of_its_folder(run: Path, tmp_path: Path) -> None:
    edit_json(run / "run.json", lambda content: content["cells"][0].update(cohort="../../../noisy"))
    with pytest.raises(LeadboardError, match="does not stay in its folder"):
        pack(run, tmp_path / "to", "noisy")
    edit_json(run / "run.json", lambda content: content["cells"][0].update(cohort="ptb-xl"))
    with pytest.raises(UsageError, match=r"No run\.json"):
        pack(tmp_path, tmp_path / "to")
    assert {cell.cohort for cell in load_run_file(run).cells} == {"ptb-xl", "georgia"}
