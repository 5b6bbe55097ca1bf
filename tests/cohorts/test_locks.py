"""Locks hold others back, end with their process, and have a substitute where the file system has none."""

from __future__ import annotations

import errno
import fcntl
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import filelock
import pytest

from cohorts import locks
from cohorts.errors import LeadboardError
from cohorts.locks import alone, alone_or_not

ROOT = Path(__file__).parents[2]
HOLDER = """
import os, sys, time
from pathlib import Path
from cohorts.locks import alone

with alone(Path(sys.argv[1]), "x"):
    if "fork" in sys.argv and os.fork() == 0:
        os.write(1, b"%d\\n" % os.getpid())
        time.sleep(600)
    os.write(1, b"held\\n")
    time.sleep(600)
"""


def hold(path: Path, *more: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        (sys.executable, "-c", HOLDER, str(path), *more),
        stdout=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
    )


def kill(process: subprocess.Popen[str]) -> None:
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert process.stdout is not None
    process.stdout.close()


def test_a_lock_ends_with_its_process(tmp_path: Path) -> None:
    path = tmp_path / "deep/down.lock"
    process = hold(path)
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    with alone_or_not(path) as free:
        assert not free
    kill(process)
    with alone_or_not(path) as free:
        assert free
    with alone_or_not(path) as free:  # and it was given back
        assert free


def test_a_child_does_not_keep_the_lock_of_a_dead_parent(tmp_path: Path) -> None:
    process = hold(tmp_path / "lock", "fork")
    assert process.stdout is not None
    lines = {process.stdout.readline().strip(), process.stdout.readline().strip()}
    (child,) = lines - {"held"}
    try:
        kill(process)
        with alone_or_not(tmp_path / "lock") as free:
            assert free
    finally:
        os.kill(int(child), signal.SIGKILL)


def test_waiting_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(locks, "MOMENT", 0.01)
    process = hold(tmp_path / "lock")
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    said = threading.Event()
    monkeypatch.setattr(locks.logger, "warning", lambda *text: said.set() or caplog.messages.append(text))
    killer = threading.Thread(target=lambda: said.wait(60) and process.send_signal(signal.SIGKILL))
    killer.start()
    with alone(tmp_path / "lock", "making tea"):
        assert said.is_set()
    killer.join()
    kill(process)


@pytest.mark.parametrize("number", [errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP])
def test_without_locks_there_are_leases(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int) -> None:
    def no_locks(*_: object) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(fcntl, "flock", no_locks)
    path = tmp_path / "run.lock"
    with alone(path, "x"):
        other = filelock.SoftFileLease(
            tmp_path / "run.lock.lease", lease_duration=locks.LEASE, blocking=False
        )
        found: list[bool] = []

        def look() -> None:
            try:
                other.acquire()
                found.append(True)
            except filelock.Timeout:
                found.append(False)

        thread = threading.Thread(target=look)
        thread.start()
        thread.join()
        assert found == [False]
    assert not (tmp_path / "run.lock.lease").exists()
    with alone_or_not(path) as free:
        assert free


def test_a_place_where_no_lock_can_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    wrong = pytest.raises(LeadboardError, match=r"Cannot write .*file/lock: .*choose another folder")
    with wrong, alone(tmp_path / "file/lock", "x"):
        pass


@pytest.mark.parametrize(
    ("number", "advice"),
    [
        (errno.EROFS, "go elsewhere"),
        (errno.EIO, "go elsewhere"),
        (errno.ENOSPC, "free some space, or go elsewhere"),
    ],
)
def test_what_to_do_is_said_and_space_only_where_there_is_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int, advice: str
) -> None:
    def refuse(*_: object) -> None:
        raise OSError(number, "It cannot be")

    monkeypatch.setattr(fcntl, "flock", refuse)
    with pytest.raises(LeadboardError) as caught, alone(tmp_path / "lock", "x", "go elsewhere"):
        pass
    assert str(caught.value) == f"Cannot write {tmp_path / 'lock'}: It cannot be; {advice}."
