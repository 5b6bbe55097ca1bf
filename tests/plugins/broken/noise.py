"""Models that are right but talk, fork or tidy nothing up; harmless in a worker, and to be run only there."""

import atexit
import ctypes
import os
import subprocess
import sys
import time
from pathlib import Path

import numpy as np

CARD = {"name": "noisy", "outputs": ["AF", "LVH"], "trained_on": []}

print("\x93LBFRAME loading weights " * 100)
sys.stdout.flush()


class Quiet:
    """What the others would answer."""

    card = {**CARD, "name": "quiet"}

    def predict(self, batch):
        return batch.signals.std(axis=2)[:, :2]


class Prints(Quiet):
    card = {**CARD, "name": "prints"}

    def predict(self, batch):
        print("batch of", len(batch), "\x93LBFRAME" * 2000)
        print("to standard error", file=sys.stderr)
        return super().predict(batch)


class WritesToDescriptorOne(Quiet):
    card = {**CARD, "name": "writestodescriptorone"}

    def predict(self, batch):
        os.write(1, b"\x93LBFRAME\0\0\0\0" * 1000)
        libc = ctypes.CDLL(None)
        libc.puts(b"from below Python")
        libc.fflush(None)
        return super().predict(batch)


class PrintsAtExit(Quiet):
    card = {**CARD, "name": "printsatexit"}

    def __init__(self):
        atexit.register(print, "\x93LBFRAME" * 100_000)


class ReadsStandardInput(Quiet):
    card = {**CARD, "name": "readsstandardinput"}

    def predict(self, batch):
        assert sys.stdin.read() == ""
        assert os.read(0, 100) == b""
        return super().predict(batch)


class Forks(Quiet):
    """Forks, and both processes return their scores."""

    card = {**CARD, "name": "forks"}

    def predict(self, batch):
        os.fork()
        return super().predict(batch)


class LeavesChildren(Quiet):
    card = {**CARD, "name": "leaveschildren"}

    def __init__(self):
        self.child = subprocess.Popen(["sleep", "1000"])
        if os.fork() == 0:
            time.sleep(1000)

    def predict(self, batch):
        return super().predict(batch)


class LeavesSessions(Quiet):
    """Leaves processes outside of its group, and their ids in a file."""

    card = {**CARD, "name": "leavessessions"}

    def __init__(self):
        started = {"start_new_session": True, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        ids = [subprocess.Popen(["sleep", "1000"], **started).pid]
        ids.append(subprocess.Popen(["sleep", "1000"], env={}, **started).pid)
        orphan = "setsid sleep 1000 > /dev/null 2>&1 & echo $!"
        ids.append(int(subprocess.check_output(["sh", "-c", orphan], start_new_session=True)))
        Path(os.environ["IDS"]).write_text(" ".join(map(str, ids)))


class LeavesSessionsAndDies(LeavesSessions):
    card = {**CARD, "name": "leavessessionsanddies"}

    def predict(self, batch):
        os.kill(os.getpid(), 9)


class WaitsForItsChildren(Quiet):
    card = {**CARD, "name": "waitsforitschildren"}

    def predict(self, batch):
        if os.fork() == 0:
            os._exit(0)
        os.wait()
        try:
            os.wait()
        except ChildProcessError:
            return super().predict(batch)
        raise AssertionError("there is a child that is not the model's")


class MutatesItsInput(Quiet):
    card = {**CARD, "name": "mutatesitsinput"}

    def predict(self, batch):
        answer = super().predict(batch).copy()
        batch.signals[:] = np.nan
        batch.age[:] = 0
        batch.sex[:] = "male"
        return answer


class KeepsItsInput(Quiet):
    """Scores each batch by the first one, which must not have been overwritten by the later ones."""

    card = {**CARD, "name": "keepsitsinput"}

    first = None

    def predict(self, batch):
        if self.first is None:
            self.first = batch.signals
            self.sum = float(self.first.sum())
        assert float(self.first.sum()) == self.sum
        return super().predict(batch)
