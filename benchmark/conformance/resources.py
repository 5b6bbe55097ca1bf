"""Check of memory, and a measurement of speed."""

from __future__ import annotations

import gc
import os
import resource
import sys
import time
import weakref
from pathlib import Path

from benchmark.conformance.asking import chosen, copied
from benchmark.conformance.behaviour import Question
from benchmark.models.contract import Floats
from cohorts.counts import plural
from cohorts.errors import ModelError

BATCHES = 64
RECORDS = 32
WARM = 8
"""Batches in which caches and pools may still grow."""
LEAST = 8
"""Batches after those that are enough to tell."""
PATIENCE = 10.0
"""Seconds for all of them."""
LEAK = 20.0
"""MB for 10 batches."""
NOISE = 64.0
"""MB by which the memory of a process moves without any leak."""
KEPT = 4
"""Batches that a model may hold on to, such as the last one."""


def memory_and_speed(question: Question) -> str:
    """Memory does not grow with the number of batches.

    A cohort of 800,000 records has 25,000 batches of 32: what is kept of each of them ends the run.
    """
    mode, batch = question.mode, chosen(question.batch, slice(RECORDS))
    given = []
    started, warm, at_start = time.perf_counter(), 0.0, 0.0
    for done in range(1, BATCHES + 1):
        mine = copied(batch)
        given.append(weakref.ref(mine.signals))
        mode.answer(mine, mode.model)
        del mine
        if done == WARM:
            warm, at_start = time.perf_counter(), resident()
        if time.perf_counter() - started > PATIENCE:
            break
    ended, after = time.perf_counter(), len(given) - WARM
    if _alive(given) > KEPT or resident() - at_start > NOISE:
        gc.collect()  # circles are no leak; looking for them takes longer than ten batches
    kept = _alive(given)
    if kept > KEPT:
        raise ModelError(f"It keeps the signals of {kept} of {len(given)} batches; copy what it needs.")
    if after < LEAST:
        speed = len(given) * RECORDS / (ended - started)
        asked = plural(len(given), "batch", "batches")
        return f"too slow to see a leak ({asked} in {PATIENCE:g} s); {speed:,.1f} records/s"
    grown = max(0.0, resident() - at_start)
    growth = grown * 10 / after
    if growth > LEAK and grown > NOISE:
        raise ModelError(f"Memory grows by {growth:,.0f} MB in 10 batches of {RECORDS}.")
    speed = after * RECORDS / (ended - warm)
    return f"+{growth:.1f} MB in 10 batches of {RECORDS}; {speed:,.0f} records/s on {mode.device}"


def _alive(given: list[weakref.ref[Floats]]) -> int:
    return sum(signals() is not None for signals in given)


def resident() -> float:
    """Memory of this process in MB: now, or at its peak where the system does not tell."""
    statistics = Path("/proc/self/statm")
    if statistics.is_file():
        return int(statistics.read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / 1e6 if sys.platform == "darwin" else peak / 1e3
