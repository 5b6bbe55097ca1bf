"""How long `leadboard report` takes on large runs, the memory it needs in a process of its own, its page."""

from __future__ import annotations

import resource
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.benchmarks.big_run import write

MEASURED = """
from pathlib import Path
from benchmark.cli import main
try:
    main()
finally:  # not ru_maxrss, which begins with what the process that started this one had
    print(Path("/proc/self/status").read_text().partition("VmHWM:")[2].split()[0])
"""


MOST_BYTES = 5_000_000
"""Of a page that people send each other."""


@pytest.mark.timeout(1800)
@pytest.mark.parametrize(
    ("models", "cohorts", "concepts", "seconds", "mebibytes"),
    [(16, 11, 30, 5, 400), (20, 17, 100, 20, 1024)],
)
def test_report(
    benchmark: Any, tmp_path: Path, models: int, cohorts: int, concepts: int, seconds: int, mebibytes: int
) -> None:
    write(tmp_path / "run", models, cohorts, concepts)
    peaks: list[int] = []
    times: list[float] = []

    def report() -> None:
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        command = [sys.executable, "-c", MEASURED, "report", str(tmp_path / "run")]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        times.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
        peaks.append(int(done.stdout.split()[-1]) // 1024)

    benchmark.pedantic(report, rounds=1)
    benchmark.extra_info |= {
        "ours": round(min(times), 1),
        "limit": seconds,
        "unit": "s of processor time",
        "peak MiB": max(peaks),
        "limit MiB": mebibytes,
        "page MB": round((tmp_path / "run/leaderboard.html").stat().st_size / 1e6, 1),
    }
    assert min(times) <= seconds
    assert max(peaks) <= mebibytes
    assert (tmp_path / "run/leaderboard.html").stat().st_size <= MOST_BYTES
