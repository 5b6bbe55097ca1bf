"""Whatever the code of a model raises is one sentence that says what and where."""

from __future__ import annotations

import contextlib
import queue
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

import pytest

from benchmark.models.guard import guarded
from benchmark.models.worker.modules import module_of_file
from cohorts.errors import ModelError, UsageError
from cohorts.hashing import ROOT


def raising(error: BaseException) -> NoReturn:
    raise error


def test_an_answer_passes() -> None:
    assert guarded("m.predict", lambda: 3) == 3


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (ValueError("too\n\x1b[31mlong"), "m.predict raised ValueError at test_guard.py:24: too long"),
        (KeyError(), "m.predict raised KeyError at test_guard.py:24: no message"),
        (SystemExit(3), "m.predict raised SystemExit at test_guard.py:24: 3"),
    ],
)
def test_an_exception_is_one_sentence(error: BaseException, words: str) -> None:
    with pytest.raises(ModelError) as caught:
        guarded("m.predict", lambda: raising(error))
    assert str(caught.value) == words
    assert caught.value.__cause__ is error


def test_an_error_of_the_suite_and_an_interruption_stay_what_they_are() -> None:
    for error in (UsageError("a sentence"), KeyboardInterrupt()):
        with pytest.raises(type(error)) as caught:
            guarded("m.predict", lambda error=error: raising(error))  # type: ignore[misc]
        assert caught.value is error


def waiting_for_a_child_that_has_died() -> None:
    queue.Queue().get()


def swallowing() -> None:
    while True:
        with contextlib.suppress(Exception):
            time.sleep(100)


@pytest.mark.parametrize("call", [waiting_for_a_child_that_has_died, swallowing])
def test_one_that_does_not_return_is_interrupted_and_told(call: Callable[[], None]) -> None:
    alarm, timer = signal.getsignal(signal.SIGALRM), signal.getitimer(signal.ITIMER_REAL)[0]
    place = r"test_guard\.py:\d+(, in \w+ \(\w+\.py:\d+\))?"
    words = rf"m.predict did not answer within 0\.3 s at {place}; see --deadline"
    with pytest.raises(ModelError, match=words):
        guarded("m.predict", call, seconds=0.3)
    assert signal.getsignal(signal.SIGALRM) is alarm  # and an alarm of somebody else goes on
    assert timer - 30 < signal.getitimer(signal.ITIMER_REAL)[0] <= timer


def test_one_that_returns_in_time_is_left_alone() -> None:
    assert guarded("m.predict", lambda: 3, seconds=0.2) == 3
    time.sleep(0.4)


BELOW_PYTHON = """
import ctypes
from benchmark.models import guard

guard.LAST_RESORT = 0.3
library, mutex = ctypes.CDLL(None), ctypes.create_string_buffer(64)
library.pthread_mutex_lock(mutex)
guard.guarded("m.predict", lambda: library.pthread_mutex_lock(mutex), seconds=0.2)  # not even by a signal
"""


def test_one_that_hangs_below_python_ends_the_process_with_its_stack() -> None:
    done = subprocess.run(
        [sys.executable, "-c", BELOW_PYTHON], cwd=ROOT, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 1
    assert "Timeout" in done.stderr
    assert 'File "<string>", line 8 in <lambda>' in done.stderr


def test_a_file_that_does_not_compile_is_named_with_its_line(tmp_path: Path) -> None:
    path = tmp_path / "broken.py"
    path.write_text("x = 1\ndef f(:\n")
    with pytest.raises(ModelError, match=r"Importing broken\.py raised SyntaxError at broken\.py:2: "):
        guarded("Importing broken.py", lambda: module_of_file(path))
