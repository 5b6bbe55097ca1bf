"""`leadboard new-cohort --code`: the package passes its own test and is a cohort once it is installed."""

from __future__ import annotations

import importlib
import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import h5py
import numpy as np
import pytest

from benchmark.commands.new_cohort import new_cohort
from cohorts.conformance import problems
from cohorts.errors import UsageError
from cohorts.preparing import prepare
from cohorts.scaffold import write_cohort_package
from tests.cohorts.own_hospital import beats

ROOT = Path(__file__).parents[2]


def call(command, cwd, *paths):
    environment = {
        **{name: value for name, value in os.environ.items() if name != "LEADBOARD_DATA"},
        "PYTHONPATH": os.pathsep.join(map(str, (ROOT, *paths))),
        "COLUMNS": "200",
        "XDG_CACHE_HOME": str(cwd),
    }
    return subprocess.run(
        [sys.executable, "-m", *command], cwd=cwd, env=environment, capture_output=True, text=True
    )


def test_it_is_ready_to_be_read_and_changed(tmp_path):
    folder = write_cohort_package("my-release", tmp_path / "made")
    files = {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}
    assert files == {
        "README.md",
        "pyproject.toml",
        "my_release/__init__.py",
        "my_release/cohort.py",
        "my_release/codes.csv",
        "tests/test_cohort.py",
    }
    assert not any("$" in (folder / path).read_text() for path in files)
    assert "class MyRelease(Cohort):" in (folder / "my_release/cohort.py").read_text()


def test_its_own_test_passes_and_notices_a_slip_here_and_in_the_release_itself(tmp_path, write_record):
    right = write_cohort_package("right-one", tmp_path)
    wrong = write_cohort_package("wrong-one", tmp_path)
    codes = wrong / "wrong_one/codes.csv"
    codes.write_text(codes.read_text().replace("OTHER,", "OTHERS,"))
    release = tmp_path / "RELEASES/right-one"
    write_record(release / "a.hea", beats(1, samples=5000)[0])
    (release / "records.csv").write_text("record,patient,age,sex,codes\na,p,71,female,AFIB;STRANGE\n")
    options = ["--import-mode=importlib", "-p", "no:cacheprovider", "."]
    done = call(["pytest", *options], tmp_path, right, wrong)
    assert "3 failed, 2 passed, 1 skipped" in done.stdout
    assert "STRANGE (1x)" in done.stdout
    assert "1 of its codes are in no table" in done.stdout
    assert "OTHER (1x)" in done.stdout


@pytest.fixture
def edited(tmp_path, monkeypatch):
    """Edit the class of a package as its end shows, and import it."""

    def edit(name, change):
        file = write_cohort_package(name, tmp_path) / name.replace("-", "_") / "cohort.py"
        text, _, shown = file.read_text().partition("\n\n# WFDB records whose headers")
        headers, _, array = shown.partition("# One array of all recordings")
        parts = (headers[headers.index("# from") :], array[array.index("# import") :])
        file.write_text(change(text, *(re.sub(r"(?m)^# ?", "", part) for part in parts)))
        monkeypatch.syspath_prepend(str(tmp_path / name))
        module = importlib.import_module(f"{name.replace('-', '_')}.cohort")
        return getattr(module, name.title().replace("-", ""))

    return edit


def test_headers_that_state_all_are_read_as_it_shows(edited, tmp_path, write_record):
    def changed(text, headers, array):
        imports, head = headers.strip().split("\n\n")
        text = text[: text.index("    def _read_index")].replace("own_codes = ", "unused = ")
        text = text.replace("# vocabulary=", "vocabulary=").replace("class FromHeaders(Cohort):", head)
        return text.replace("from cohorts.formats.csv_rows", f"{imports}\nfrom cohorts.formats.csv_rows")

    found = edited("from-headers", changed)
    comments = ["Age: 71", "Sex: Female", "Dx: 164889003,59118001"]
    write_record(tmp_path / "r/one/a.hea", beats(1, samples=5000)[0], gain="500/mV", comments=comments)
    release = found(tmp_path / "r")
    assert problems(release) == []
    store = prepare(release, tmp_path / "cache")
    assert store.warnings == ()
    assert store.index[["record_id", "age", "sex"]].to_numpy().tolist() == [["a", 71.0, "female"]]
    assert store.labels.loc[0, ["AF", "LBBB", "RBBB"]].tolist() == [1, 0, -1]


def test_one_array_of_all_is_read_as_it_shows(edited, tmp_path):
    def changed(text, headers, array):
        imports, methods = array.split("\n\n", 1)
        text = text[: text.index("    def _read_index")] + methods
        return text.replace("from cohorts.formats.csv_rows", f"{imports}\nfrom cohorts.formats.csv_rows")

    found = edited("from-array", changed)
    release = tmp_path / "r"
    release.mkdir()
    assert not found.found(release)
    lines = ["record,patient,age,sex,AFIB,LBBB", "a,p1,71,female,1,0", "b,p2,50,male,0,1"]
    (release / "labels.csv").write_text("\n".join(lines))
    signals = beats(2, samples=5000)
    with h5py.File(release / "tracings.h5", "w") as file:
        file["tracings"] = signals.transpose(0, 2, 1).astype(np.float32)
    assert found.found(release)
    assert problems(found(release)) == []
    store = prepare(found(release), tmp_path / "cache")
    np.testing.assert_allclose(store.recording(1).signal, signals[1] / 1000, atol=1e-3)
    assert store.labels[["AF", "LBBB"]].to_numpy().tolist() == [[1, 0], [0, 1]]


def test_once_installed_it_is_listed(tmp_path):
    """Without the build: what an installer would write down of ``pyproject.toml`` is written here."""
    folder = write_cohort_package("installed-one", tmp_path)
    project = tomllib.loads((folder / "pyproject.toml").read_text())["project"]
    ((group, entries),) = project["entry-points"].items()
    metadata = folder / "installed_one-0.1.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text(f"Name: {project['name']}\nVersion: {project['version']}\n")
    lines = [f"{name} = {target}\n" for name, target in entries.items()]
    lines.append("georgia = installed_one.cohort:InstalledOne\nbroken = nowhere:Broken\n")
    (metadata / "entry_points.txt").write_text(f"[{group}]\n{''.join(lines)}")
    done = call(["benchmark", "cohorts"], tmp_path, folder)
    assert (done.returncode, done.stderr) == (0, "")
    assert [line.split()[5] for line in done.stdout.splitlines() if line.startswith("installed-one")] == [
        "no"
    ]
    broken = [line for line in done.stdout.splitlines() if line.startswith("BROKEN")]
    assert broken[0].startswith("BROKEN broken: nowhere:Broken cannot be imported (ModuleNotFoundError")
    assert broken[1].startswith("BROKEN georgia: There is a cohort 'georgia' already")
    assert len(broken) == 2


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("My-Release", "small letters"),
        ("my_release", "small letters"),
        ("../escape", "small letters"),
        ("r\x1b[2J", "small letters"),
        ("r" * 41, "small letters"),
        ("json", "a Python package that is here already"),
        ("class", "cannot be the name of a Python package"),
        ("georgia", "There is a cohort or a task 'georgia' already"),
        ("ptbxl-super", "There is a cohort or a task 'ptbxl-super' already"),
    ],
)
def test_names_that_will_not_do(name, words, tmp_path):
    with pytest.raises(UsageError, match=words) as caught:
        write_cohort_package(name, tmp_path)
    assert str(caught.value).isprintable()
    assert list(tmp_path.iterdir()) == []


def test_the_command_says_what_comes_next(tmp_path, capsys):
    assert new_cohort("my-release", out=tmp_path, code=True) == 0
    assert f"pip install --editable {tmp_path / 'my-release'}" in capsys.readouterr().out
    with pytest.raises(UsageError, match="there already"):
        new_cohort("my-release", out=tmp_path, code=True)
