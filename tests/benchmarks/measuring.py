"""How the benchmarks measure: with pytest-benchmark, in turns, and in processes of their own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from pytest_benchmark.fixture import BenchmarkFixture

Clock = Callable[[], float]


def seconds(call: Callable[[], object], clock: Clock = time.perf_counter) -> float:
    """How long one call takes."""
    start = clock()
    call()
    return clock() - start


@dataclass(frozen=True)
class Turns:
    """Seconds of several calls that took turns, so that whatever else the machine did fell on all of them."""

    times: Mapping[str, list[float]]

    def median(self, name: str) -> float:
        return median(self.times[name])

    def ratio(self, above: str, below: str) -> float:
        """The median over the turns of how many times as long one took as the other."""
        return median(a / b for a, b in zip(self.times[above], self.times[below], strict=True))


def in_turns(
    benchmark: BenchmarkFixture,
    calls: Mapping[str, Callable[[], object]],
    turns: int,
    clock: Clock = time.perf_counter,
) -> Turns:
    """Call each once unmeasured, then all of them one after the other, so many times.

    Parameters
    ----------
    benchmark
        Times the first call, which is ours; the others have their turns before it.
    clock
        Of the others; the benchmark has the one of the test's mark, by default the same.
    """
    (ours, call), *others = calls.items()
    times: dict[str, list[float]] = {name: [] for name in calls}

    def turn_of_others() -> None:
        for name, other in others:
            times[name].append(seconds(other, clock))

    benchmark.pedantic(call, setup=turn_of_others, rounds=turns, warmup_rounds=1)
    measured = {name: found[1:] for name, found in times.items()}  # the first turn was to warm up
    return Turns(measured | {ours: benchmark.stats.stats.data})


@dataclass(frozen=True)
class Spent:
    """What a process of its own needed.

    Attributes
    ----------
    seconds
        On the clock.
    busy
        Seconds of processor time, of all its threads.
    peak
        MiB of memory at the most.
    text
        What it wrote.
    """

    seconds: float
    busy: float
    peak: float
    text: str


# Not ru_maxrss, which begins with what the process that started this one had.
_PROGRAM = """
import json, sys, time
from pathlib import Path
code, report = sys.argv.pop(1), sys.argv.pop(1)
try:
    exec(compile(code, "<measured>", "exec"))
finally:
    peak = int(Path("/proc/self/status").read_text().partition("VmHWM:")[2].split()[0]) / 1024
    Path(report).write_text(json.dumps([time.process_time(), peak]))
"""

LEADBOARD = "from benchmark.cli import main; main()"


def in_process(folder: Path, code: str, *arguments: object) -> Spent:
    """Run code in a new interpreter, with these as ``sys.argv[1:]``.

    Raises
    ------
    subprocess.CalledProcessError
        If it fails.
    """
    report = folder / "spent.json"
    command = [sys.executable, "-c", _PROGRAM, code, str(report), *map(str, arguments)]
    start = time.perf_counter()
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, env=os.environ, check=True)
    taken = time.perf_counter() - start
    busy, peak = json.loads(report.read_text())
    return Spent(taken, busy, peak, done.stdout)
