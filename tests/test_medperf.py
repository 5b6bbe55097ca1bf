"""The MedPerf containers without a container: their files, and their commands on a folder of volumes."""

from __future__ import annotations

import json
import re
import runpy
import shlex
import sys
import tempfile
import warnings
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import yaml
from sklearn.metrics import roc_auc_score

from benchmark.exchange.checking import verify
from cohorts.catalogue import all_cohorts
from tests.benchmark.exchange.leaks import counts, found_in
from tests.benchmark.tiny_run import NOISY
from tests.releases import write_challenge

with warnings.catch_warnings():  # of pandas, about how wfdb uses it
    warnings.simplefilter("ignore")
    import wfdb

ROOT = Path(__file__).resolve().parents[1]
FOLDER = ROOT / "deploy/medperf"
CONTAINERS = ("data_preparator", "model", "metrics")

PARAMETERS = "parameters/parameters_file.yaml"

VOLUMES = {
    ("data_preparator", "prepare"): (
        {"data_path": "raw_data", "labels_path": "raw_labels", "parameters_file": PARAMETERS},
        {"output_path": "data", "output_labels_path": "labels"},
    ),
    ("data_preparator", "sanity_check"): (
        {"data_path": "data", "labels_path": "labels", "parameters_file": PARAMETERS},
        {},
    ),
    ("data_preparator", "statistics"): (
        {"data_path": "data", "labels_path": "labels", "parameters_file": PARAMETERS},
        {"output_path": "statistics/statistics.yaml"},
    ),
    ("model", "infer"): ({"data_path": "data"}, {"output_path": "predictions"}),
    ("metrics", "evaluate"): (
        {"predictions": "predictions", "labels": "labels", "parameters_file": PARAMETERS},
        {"output_path": "results/results.yaml"},
    ),
}
"""Names and places that MedPerf gives to the volumes of each task: inputs, outputs."""


def config(container: str) -> dict[str, Any]:
    content = yaml.safe_load((FOLDER / container / "container_config.yaml").read_text())
    assert isinstance(content, dict)
    return content


@pytest.mark.parametrize("container", CONTAINERS)
def test_the_configuration_has_the_fields_that_medperf_reads(container: str) -> None:
    content = config(container)
    assert set(content) == {"container_type", "image", "tasks"}
    assert content["container_type"] == "DockerImage"
    assert set(content["tasks"]) == {task for name, task in VOLUMES if name == container}
    for task, about in content["tasks"].items():
        inputs, outputs = VOLUMES[container, task]
        assert set(about) <= {"run_args", "input_volumes", "output_volumes"}
        assert set(about["run_args"]) == {"command"}
        for kind, expected in (("input_volumes", inputs), ("output_volumes", outputs)):
            found = about.get(kind, {})
            assert {
                name: mount["mount_path"].removeprefix("/mlcommons/volumes/") for name, mount in found.items()
            } == expected
            for mount in found.values():
                assert mount["mount_path"].startswith("/mlcommons/volumes/")
                assert mount["type"] == ("file" if mount["mount_path"].endswith(".yaml") else "directory")


@pytest.mark.parametrize("container", CONTAINERS)
def test_a_dockerfile_copies_what_is_there_and_runs_the_steps(container: str) -> None:
    text = (FOLDER / container / "Dockerfile").read_text()
    copied = [line.split()[1:-1] for line in text.splitlines() if line.startswith("COPY ")]
    for source in (name for names in copied for name in names if not name.startswith("$")):
        assert (ROOT / source).exists(), source
    assert 'ENTRYPOINT ["python3", "/project/steps.py"]' in text
    assert f"-f deploy/medperf/{container}/Dockerfile" in text
    assert re.search(r"^FROM python:3\.1[123]-slim$", text, re.MULTILINE)


def step(volumes: Path, container: str, task: str, *more: str) -> None:
    """Type the command of a task as the container's entry point does."""
    command = shlex.split(config(container)["tasks"][task]["run_args"]["command"])
    program(volumes, *command, "--volumes", str(volumes), *more)


def program(folder: Path, *arguments: str) -> None:
    """Call the containers' program in this process: a new one for each step would be all imports."""
    with pytest.MonkeyPatch.context() as patch, warnings.catch_warnings(action="ignore"):  # of wfdb
        patch.chdir(folder)
        patch.setattr(tempfile, "tempdir", str(folder))
        patch.setattr(sys, "argv", ["steps.py", *arguments])
        for cohort in all_cohorts().values():  # the program makes one private, until it ends
            patch.setattr(cohort, "card", cohort.card)
        with pytest.raises(SystemExit) as end:
            runpy.run_path(str(FOLDER / "steps.py"), run_name="__main__")
    assert end.value.code == 0


def test_the_commands_of_all_tasks_give_an_aggregate_submission(tmp_path: Path) -> None:
    release = tmp_path / "release"
    write_challenge(release)
    volumes = tmp_path / "volumes"
    for name in ("raw_labels", "data", "labels", "predictions", "parameters"):
        (volumes / name).mkdir(parents=True)
    (release / "challenge-2021/training/georgia").rename(volumes / "raw_data")
    (volumes / "parameters/parameters_file.yaml").write_text(
        (FOLDER / "parameters.yaml").read_text().replace("10000", "200")
    )
    model = tmp_path / "model.py"
    model.write_text(NOISY)

    step(volumes, "data_preparator", "prepare")
    step(volumes, "data_preparator", "sanity_check")
    step(volumes, "data_preparator", "statistics")
    told = yaml.safe_load((volumes / "statistics/statistics.yaml").read_text())
    assert told["recordings"] == 40
    assert told["concepts"]["AF"] == {"annotated": 40, "positive": 20}
    assert all(c == "< 10" or c % 10 == 0 for c in counts({"n": told["recordings"]}))

    ids = {path.stem for path in (volumes / "raw_data").rglob("*.hea")}
    assert len(ids) == 40
    assert found_in(volumes / "data", ids | {"Dx", "164889003"}) == set()
    first = wfdb.rdrecord(str(volumes / "data/records/r0000000"))
    original = wfdb.rdrecord(str(next(iter(sorted((volumes / "raw_data").rglob("*.hea")))).with_suffix("")))
    assert (first.p_signal == original.p_signal).all()
    assert first.comments[0].startswith("Age: ")

    step(volumes, "model", "infer", "--model", f"{model}:Noisy")
    step(volumes, "metrics", "evaluate")
    results = volumes / "results/results.yaml"
    content = yaml.safe_load(results.read_text())
    scores = pd.read_parquet(volumes / "predictions/predictions.parquet").sort_values("record_id")["AF"]
    headers = sorted((volumes / "raw_data").rglob("*.hea"), key=lambda path: path.stem)
    sick = ["164889003" in path.read_text() for path in headers]
    cell = json.loads(content["files"]["cells/predictions/georgia.json"])
    assert cell["concepts"]["AF"]["auroc"]["value"] == pytest.approx(roc_auc_score(sick, scores), abs=0.0051)
    assert found_in(volumes / "results", ids | {f"r{at:07d}" for at in range(40)}) == set()

    program(tmp_path, "unpack", "--results", str(results), "--to", str(tmp_path / "submissions"))
    folder = tmp_path / "submissions" / content["submission"]
    found = verify(folder, lambda cohort, signals=True: None)
    assert found.differences == []
    assert [one.what for one in found.unchecked] == ["self-reported: not recomputable"]
