"""Runs with Ray as a user starts them."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).parents[3]


def start(home: Path, *arguments: str, cache: str = "cache", **more: str) -> subprocess.Popen[str]:
    kept = {key: value for key, value in os.environ.items() if not key.startswith("LEADBOARD_")}
    environment = {**kept, "LEADBOARD_CACHE": str(home / cache), "PYTHONPATH": str(ROOT), **more}
    command = [sys.executable, "-m", "benchmark", "run", "--data", "data", "--resamples", "50"]
    command += ["--device", "cpu", "--workers", "1", *arguments]
    return subprocess.Popen(command, cwd=home, env=environment, text=True, stderr=subprocess.PIPE)


def finish(process: subprocess.Popen[str]) -> tuple[int, str]:
    _, said = process.communicate(timeout=240)
    return process.returncode, said


def wait_until(so: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 120
    while not so() and time.monotonic() < deadline:
        time.sleep(0.05)
    assert so()


def predictions(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*.parquet")}
