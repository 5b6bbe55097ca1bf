"""`leadboard new-model`: the package that it writes passes every check, its own test, and installs."""

from __future__ import annotations

import os
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from benchmark.commands.checking import new_model
from benchmark.conformance import check_model
from benchmark.models.plugins import find_model
from benchmark.models.scaffold import write_package
from cohorts.errors import UsageError


def test_the_package_passes_every_check(tmp_path: Path) -> None:
    package = write_package("my-model", tmp_path / "models")
    assert package.folder == tmp_path / "models/my-model"
    assert find_model(package.spec).card.name == "my-model"
    assert check_model(package.spec).failures == ()


def test_it_is_ready_to_be_read_and_changed(tmp_path: Path) -> None:
    folder = write_package("wide_net-2", tmp_path).folder
    files = {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}
    assert files == {
        "README.md",
        "pyproject.toml",
        "tests/test_model.py",
        "wide_net_2/__init__.py",
        "wide_net_2/model.py",
    }
    for path in files:
        text = (folder / path).read_text()
        assert "$" not in text
        assert "wide_net" in text
    assert "class WideNet2:" in (folder / "wide_net_2/model.py").read_text()
    assert "import benchmark" not in (folder / "wide_net_2/model.py").read_text()


def test_its_own_test_passes_and_notices_a_broken_model(tmp_path: Path) -> None:
    write_package("right-model", tmp_path)
    model = write_package("wrong-model", tmp_path).folder / "wrong_model/model.py"
    model.write_text(model.read_text().replace("std(axis=2)", "std(axis=2) - batch.signals.mean()"))
    command = [sys.executable, "-m", "pytest", "--import-mode=importlib", "-p", "no:cacheprovider", "."]
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[3]), "COLUMNS": "200"}
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert "1 failed, 1 passed" in done.stdout
    assert "FAILED wrong-model/tests/test_model.py" in done.stdout
    assert "batch size: " in done.stdout


def test_once_installed_it_goes_by_its_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the build: what an installer would write down of ``pyproject.toml`` is written here."""
    folder = write_package("installed-model", tmp_path).folder
    project = tomllib.loads((folder / "pyproject.toml").read_text())["project"]
    ((group, entries),) = project["entry-points"].items()
    metadata = folder / "installed_model-0.1.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text(f"Name: {project['name']}\nVersion: {project['version']}\n")
    lines = (f"{name} = {target}\n" for name, target in entries.items())
    (metadata / "entry_points.txt").write_text(f"[{group}]\n{''.join(lines)}")
    monkeypatch.syspath_prepend(str(folder))
    assert find_model("installed-model").card.name == "installed-model"
    with pytest.raises(UsageError, match="There is a model 'installed-model' already"):
        write_package("installed-model", tmp_path / "elsewhere")


def test_the_command_says_what_comes_next(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert new_model("my-model", out=tmp_path) == 0
    check = next(line.split() for line in capsys.readouterr().out.splitlines() if "check" in line)
    assert check[:2] == ["leadboard", "check"]
    assert find_model(check[2]).card.outputs == ("AF", "LVH")


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("My-Model", "small letters"),
        ("", "small letters"),
        ("../escape", "small letters"),
        ("a/b", "small letters"),
        ("-model", "small letters"),
        ("model-", "small letters"),
        ("2nd", "small letters"),
        ("wide net", "small letters"),
        ("modèle", "small letters"),
        ("model\n", "small letters"),
        ("m" * 41, "small letters"),
        ("\x1b[2J", "small letters"),
        ("class", "cannot be the name of a Python package"),
        ("tests", "cannot be the name of a Python package"),
        ("json", "a Python package that is here already"),
        ("numpy", "a Python package that is here already"),
        ("benchmark", "a Python package that is here already"),
        ("resnet1d", "There is a model 'resnet1d' already"),
    ],
)
def test_names_that_will_not_do(name: str, words: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=words) as caught:
        write_package(name, tmp_path)
    assert str(caught.value).isprintable()
    assert list(tmp_path.iterdir()) == []


def test_nothing_is_overwritten(tmp_path: Path) -> None:
    (tmp_path / "my-model").mkdir()
    with pytest.raises(UsageError, match="there already"):
        write_package("my-model", tmp_path)
    assert list((tmp_path / "my-model").iterdir()) == []
    (tmp_path / "your-model").write_text("mine")
    with pytest.raises(UsageError, match="there already"):
        write_package("your-model", tmp_path)
    assert (tmp_path / "your-model").read_text() == "mine"


def test_a_place_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    for out in (tmp_path / "file", tmp_path / "file/below"):
        with pytest.raises(UsageError, match="--out"):
            write_package("my-model", out)
