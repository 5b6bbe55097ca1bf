"""Ctrl-C ends the work, also where Python loses the exception."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from cohorts.interrupts import interruptible

PROJECT = Path(__file__).resolve().parents[2]

# The interrupt comes while an object is given back, as those of h5py are all the time.
LOST = """
import os, signal, sys, weakref
from pathlib import Path
from cohorts.catalogue import find_cohort
from cohorts.preparing import prepare

class Thing:
    pass

signal.signal(signal.SIGINT, signal.default_int_handler)  # which a shell's background job has not

def interrupt(_):
    signal.raise_signal(signal.SIGINT)
    for _ in range(100):
        pass

done = []
def progress(number, total):
    done.append(number)
    if number == 2:
        thing = Thing()
        gone = weakref.ref(thing, interrupt)
        del thing

try:
    prepare(find_cohort("georgia")(Path(sys.argv[1])), Path(sys.argv[2]), progress=progress)
except KeyboardInterrupt:
    print("stopped after", done[-1])
assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
"""


def test_an_interrupt_that_python_loses_stops_prepare(georgia, cache):
    command = [sys.executable, "-c", LOST, georgia().root, cache]
    ended = subprocess.run(command, cwd=PROJECT, check=True, capture_output=True, text=True)
    assert "Exception ignored" in ended.stderr, "it was lost indeed"
    assert ended.stdout == "stopped after 2\n"
    assert not list((cache / "stores").glob("*.h5"))
    assert not list((cache / "stores").glob("*.partial"))


@pytest.fixture(autouse=True)
def as_in_the_foreground():
    """A shell lets its background jobs ignore interrupts."""
    former = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, former)


def test_an_interrupt_at_the_very_end_is_not_lost():
    with pytest.raises(KeyboardInterrupt), interruptible(), pytest.raises(KeyboardInterrupt):
        signal.raise_signal(signal.SIGINT)
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_who_hears_interrupts_otherwise_is_left_alone():
    heard = []
    signal.signal(signal.SIGINT, lambda number, frame: heard.append(number))
    with interruptible() as check:
        signal.raise_signal(signal.SIGINT)
        check()
    assert heard == [signal.SIGINT]


def test_an_interrupt_that_is_ignored_stays_ignored():
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with interruptible() as check:
        signal.raise_signal(signal.SIGINT)
        check()
    assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN


def test_other_threads_work_without_signals():
    worked = []

    def work():
        with interruptible() as check:
            check()
            worked.append(True)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert worked == [True]
