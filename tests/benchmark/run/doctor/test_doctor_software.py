"""The doctor's checks of what is installed and how the machine is set up are shown what they look for."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import locale
import os
import resource
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from benchmark.config import Places
from benchmark.run.doctor import of_folders, of_software
from benchmark.run.doctor.machine import Machine
from tests.benchmark.run.doctor.examined import TORCH, found, torch_of


def test_torch_is_asked_in_a_process_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PYTHONPATH")
    answer = Machine(None).torch
    assert not isinstance(answer, str)
    assert answer.version == importlib.metadata.version("torch")


def test_a_gpu_beside_a_torch_for_processors(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "nvidiactl").touch()
    monkeypatch.setattr(of_software, "DRIVERS", tmp_path)
    found(of_software.accelerator, None, "NVIDIA GPU", "torch 2.9 is built for processors alone")


def test_a_gpu_that_cannot_be_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "nvidia0").touch()
    monkeypatch.setattr(of_software, "DRIVERS", tmp_path)
    torch_of(tmp_path, TORCH.format(cuda="'12.8'", devices=0), monkeypatch)
    found(of_software.accelerator, None, "CUDA 12.8", "cannot use it")
    other = tmp_path / "other"  # a file of the same second and size would be taken for the compiled one
    other.mkdir()
    torch_of(other, TORCH.format(cuda="'12.8'", devices=2), monkeypatch)
    assert of_software.accelerator(Machine(None)).found == "torch 2.9, CUDA 12.8, 2 device(s)"


@pytest.mark.parametrize(
    ("code", "why"),
    [("import nothing_like_it", "No module named 'nothing_like_it'"), ("import os; os.abort()", "-6")],
)
def test_a_torch_that_is_broken(
    code: str, why: str, places: Places, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    torch_of(tmp_path, code, monkeypatch)
    found(of_software.accelerator, None, "torch cannot be imported", why)
    assert of_folders.weights(Machine(places)).found == "not looked at: torch cannot be imported"


def test_a_locale_that_is_not_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    before = locale.setlocale(locale.LC_ALL)
    monkeypatch.setenv("LC_ALL", "xx_XX.UTF-8")
    found(of_software.language, None, "not installed")
    assert locale.setlocale(locale.LC_ALL) == before


def test_an_alphabet_of_few_letters(monkeypatch: pytest.MonkeyPatch) -> None:
    class Plain:
        encoding = "ascii"

    monkeypatch.setenv("LC_ALL", "C.UTF-8")
    monkeypatch.setattr(sys, "stdout", Plain())
    found(of_software.language, None, "the terminal ascii")


def test_two_installations(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, version in (("one", "0.0.1"), ("two", "0.0.2")):
        folder = tmp_path / name / f"leadboard-{version}.dist-info"
        folder.mkdir(parents=True)
        (folder / "METADATA").write_text(f"Metadata-Version: 2.1\nName: leadboard\nVersion: {version}\n")
    monkeypatch.setenv("PATH", "")
    monkeypatch.setattr(sys, "path", [str(tmp_path / "one"), str(tmp_path / "two")])
    finding = found(of_software.installations, None, "2 installations", "0.0.1 and 0.0.2")
    assert str(tmp_path / "one") in finding.where[0]
    monkeypatch.setattr(sys, "path", [str(tmp_path / "one")])
    found(of_software.installations, None, "is running, and 0.0.1 is installed")
    monkeypatch.setattr(sys, "path", [])
    assert of_software.installations(Machine(None)).status == "fine"
    command = tmp_path / "bin/leadboard"
    command.parent.mkdir()
    command.write_text("#!/bin/sh\n")
    command.chmod(0o755)
    monkeypatch.setenv("PATH", str(command.parent))
    found(of_software.installations, None, "that of another Python")


def test_no_place_for_compiled_code(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "plain.py").write_text("def plain(x):\n    return x\n")
    (tmp_path / "__pycache__").touch()  # a file where the folder would be
    (tmp_path / "caches").touch()
    for name in ("XDG_CACHE_HOME", "HOME"):
        monkeypatch.setenv(name, str(tmp_path / "caches"))
    described = importlib.util.spec_from_file_location("plain", tmp_path / "plain.py")
    assert described is not None
    assert described.loader is not None
    module: Any = importlib.util.module_from_spec(described)
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    described.loader.exec_module(module)
    finding = of_software.compiled_code(Machine(None), module.plain)
    assert (finding.status, "cannot be kept" in finding.found) == ("problem", True)


@pytest.mark.parametrize("place", ["/nowhere/at/all", os.devnull])
def test_no_home(place: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", place)
    found(of_software.home, None, "not there")


def test_no_home_is_known_at_all(monkeypatch: pytest.MonkeyPatch) -> None:
    import pwd

    def nobody(_: int) -> None:
        raise KeyError

    monkeypatch.delenv("HOME", raising=False)
    monkeypatch.setattr(pwd, "getpwuid", nobody)
    found(of_software.home, None, "no home folder is known")


@pytest.fixture
def few_files() -> Iterator[None]:
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (512, before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, before)


@pytest.mark.usefixtures("few_files")
def test_few_files() -> None:
    found(of_software.open_files, None, "only 512")
