"""The MedPerf containers without a container: their files, and their commands on a folder of volumes."""

from __future__ import annotations

import json
import re
import runpy
import shlex
import shutil
import subprocess
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
from tests.commands import command
from tests.documented import commands, section
from tests.releases import write_challenge

with warnings.catch_warnings():  # of pandas, about how wfdb uses it
    warnings.simplefilter("ignore")
    import wfdb

ROOT = Path(__file__).resolve().parents[1]
FOLDER = ROOT / "deploy/medperf"
CONTAINERS = ("data_preparator", "model", "metrics")

PAGE = (ROOT / "docs/medperf.md").read_text(encoding="utf-8")
TYPES = {"docs/medperf.md": ["Try it without a container", "What the consortium does with the results"]}

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


def types(home: Path, line: str) -> str:
    """Type a line of the page; the steps are typed as the container of the task has them."""
    first, *words = shlex.split(line)
    if first == "leadboard":
        return command(home, *words).out
    if first == "python":
        assert words.pop(0) == "deploy/medperf/steps.py"
        if words[0] != "unpack":
            (container,) = (name for name, task in VOLUMES if task == words[0])
            told = shlex.split(config(container)["tasks"][words[0]]["run_args"]["command"])
            ours = ("--volumes", "volumes", "my-model/my_model/model.py:MyModel")
            assert [word for word in words if word not in ours] == [w for w in told if ":MyModel" not in w]
        program(home, *words)
        return ""
    assert first in ("mkdir", "cp")
    subprocess.run([first, *words], cwd=home, check=True)
    return ""


def test_the_page_is_typed_and_gives_an_aggregate_submission(tmp_path: Path) -> None:
    """From a release to a board; a hospital checks its data besides, and its file is sent."""
    write_challenge(tmp_path / "RELEASES")
    for path in (tmp_path / "RELEASES").rglob("E0000[1-4].hea"):  # else all areas were exactly 0 or 1
        text = path.read_text()
        swapped = {"426783006": "164889003,164873001", "164889003,164873001": "426783006"}
        codes = text.rpartition("#Dx: ")[2].strip()
        path.write_text(text.replace(codes, swapped[codes]))
    (tmp_path / "deploy").symlink_to(ROOT / "deploy")
    volumes = tmp_path / "volumes"
    at_home, elsewhere = (commands(section(PAGE, title)) for title in TYPES["docs/medperf.md"])
    for line in at_home:
        types(tmp_path, line)
        if " prepare " in line:
            types(tmp_path, line.replace(" prepare ", " sanity_check "))
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

    results = volumes / "results/results.yaml"
    content = yaml.safe_load(results.read_text())
    scores = pd.read_parquet(volumes / "predictions/predictions.parquet").sort_values("record_id")["AF"]
    headers = sorted((volumes / "raw_data").rglob("*.hea"), key=lambda path: path.stem)
    sick = ["164889003" in path.read_text() for path in headers]
    cell = json.loads(content["files"]["cells/predictions/georgia.json"])
    assert cell["concepts"]["AF"]["auroc"]["value"] == pytest.approx(roc_auc_score(sick, scores), abs=0.0051)
    assert found_in(volumes / "results", ids | {f"r{at:07d}" for at in range(40)}) == set()

    shutil.copy(results, tmp_path)
    unpack, check, board = elsewhere
    types(tmp_path, unpack)
    assert {path.name for path in (tmp_path / "results/submissions").iterdir()} == {content["submission"]}
    found = verify(
        tmp_path / "results/submissions" / content["submission"], lambda cohort, signals=True: None
    )
    assert found.differences == []
    assert [one.what for one in found.unchecked] == ["self-reported: not recomputable"]
    assert " 0 differ, 1 could not be made." in types(tmp_path, check)
    types(tmp_path, board)
    assert "my-model" in (tmp_path / "results/board/leaderboard.html").read_text()
