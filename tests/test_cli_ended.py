"""The real command line, ended while it works: by a signal that asks it to or does not."""

from __future__ import annotations

import signal
import subprocess
import time
from pathlib import Path

import pytest

from benchmark.records.record import load_record
from benchmark.records.run_folder import load_run_file
from tests.commands import COMMAND, command, environment

PLUGINS = Path(__file__).parent / "plugins"
GOOD = f"{PLUGINS / 'good.py'}:Amplitude"


SLOW = """
import pathlib, time
import numpy as np

class Slow:
    card = {"name": "slow", "outputs": ["AF"], "trained_on": []}

    def predict(self, batch):
        if batch.signals.shape[0] and pathlib.Path("slow-now").exists():
            pathlib.Path("stuck").touch()
            time.sleep(600)
        return np.zeros((len(batch.signals), 1))
"""


@pytest.mark.parametrize(
    "how",
    [signal.SIGKILL, *(pytest.param(how, marks=pytest.mark.slow) for how in (signal.SIGINT, signal.SIGTERM))],
)
def test_a_killed_run_loses_at_most_the_running_cell(home: Path, how: signal.Signals) -> None:
    (home / "slow.py").write_text(SLOW)
    out = home / f"killed-{how.name}"
    models = ("--model", GOOD, "--model", "slow.py:Slow")
    arguments = ("run", "--data", "data", *models, "--out", str(out), "--resamples", "20")
    (home / "slow-now").touch()
    (home / "stuck").unlink(missing_ok=True)
    process = subprocess.Popen(
        (*COMMAND, *arguments), cwd=home, env=environment(home), stderr=subprocess.PIPE, text=True
    )
    deadline = time.monotonic() + 60
    while not (home / "stuck").exists():
        assert process.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.05)
    process.send_signal(how)
    _, errors = process.communicate(timeout=60)
    if how != signal.SIGKILL:
        assert process.returncode == 128 + how
        assert "goes on from there" in errors
        assert "FAILED" not in errors
    (home / "slow-now").unlink()
    done = [out / "amplitude/as-is" / f"{cohort}.json" for cohort in ("ptb-xl", "georgia")]
    before = {path: path.stat().st_mtime_ns for path in done}
    for path in done:
        load_record(path)
    assert "2 to compute" in command(home, *arguments).err
    assert before == {path: path.stat().st_mtime_ns for path in done}
    assert not list(out.rglob("*.part"))


NARROW = """
from baselines.networks import resnet1d_wang
from baselines.supervised import ResNet1d

resnet1d_wang.WIDTH = 8

class Narrow(ResNet1d):
    pass
"""


def test_sigterm_in_a_training_ends_the_run_and_marks_nothing_failed(home: Path) -> None:
    """The training of resnet1d, with a network of few channels."""
    (home / "narrow.py").write_text(NARROW)
    out = home / "terminated"
    arguments = ("run", "--data=data", "--model=narrow.py:Narrow", f"--out={out}", "--resamples=20")
    process = subprocess.Popen(
        (*COMMAND, *arguments), cwd=home, env=environment(home), stderr=subprocess.PIPE, text=True
    )
    assert process.stderr is not None
    assert any("resnet1d: epoch 1 of" in line for line in process.stderr)
    process.send_signal(signal.SIGTERM)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 143
    assert "goes on from there" in errors
    assert "Traceback" not in errors
    assert {cell.status for cell in load_run_file(out).cells} == {"planned"}
