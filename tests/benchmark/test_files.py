"""What killed commands have left is swept, and what a living one is writing stays."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from benchmark.files import sweep, write_atomically

ROOT = Path(__file__).parents[2]
WRITER = """
import os, sys, time
from pathlib import Path
from benchmark.files import write_atomically

def fsync(file):
    os.write(1, b"written\\n")
    time.sleep(600)

os.fsync = fsync
write_atomically(Path(sys.argv[1]), "half of it")
"""


def start_writing(path: Path) -> subprocess.Popen[str]:
    """A process that never comes to an end of writing a file."""
    process = subprocess.Popen(
        (sys.executable, "-c", WRITER, str(path)),
        stdout=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "written\n"
    return process


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def test_what_a_killed_process_has_left_is_swept(tmp_path: Path) -> None:
    process = start_writing(tmp_path / "a.json")
    (left,) = tmp_path.iterdir()
    sweep((tmp_path,))
    assert names(tmp_path) == {left.name}  # it lives
    process.send_signal(signal.SIGKILL)
    process.communicate()
    sweep((tmp_path,))
    assert not names(tmp_path)


def test_nothing_else_is_swept(tmp_path: Path) -> None:
    kept = ["run.json", "a.part", ".hidden.part", ".a.json.12345678.parts", ".a.json.1234ABCD.part"]
    for name in kept:
        (tmp_path / name).write_text("x")
    (tmp_path / "elsewhere").write_text("x")
    (tmp_path / ".link.json.abcdefgh.part").symlink_to(tmp_path / "elsewhere")
    (tmp_path / ".folder.json.abcdefgh.part").mkdir()
    before = names(tmp_path)
    sweep((tmp_path, tmp_path / "not there", tmp_path / "run.json"))
    assert names(tmp_path) == before


def test_an_empty_one_may_be_about_to_be_locked(tmp_path: Path) -> None:
    empty = tmp_path / ".a.json.abcdefgh.part"
    empty.touch()
    sweep((tmp_path,))
    assert empty.exists()
    os.utime(empty, (0, 0))
    sweep((tmp_path,))
    assert not empty.exists()


def test_files_are_written_where_there_are_no_locks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_locks(*_: object) -> None:
        raise OSError(37, "No locks available")

    monkeypatch.setattr("fcntl.flock", no_locks)
    write_atomically(tmp_path / "a.json", "whole")
    assert (tmp_path / "a.json").read_text() == "whole"
    left = tmp_path / ".a.json.abcdefgh.part"
    left.write_text("x")
    sweep((tmp_path,))
    assert left.exists()  # nobody can tell whether its writer lives
    os.utime(left, (0, 0))
    sweep((tmp_path,))
    assert names(tmp_path) == {"a.json"}
