"""Models that end their process or never return; to be run in a worker only."""

import ctypes
import os
import re
import signal
import subprocess
import sys
import time

import numpy as np

CARD = {"name": "broken", "outputs": ["AF", "LVH"], "trained_on": []}


class Exits:
    card = {**CARD, "name": "exits"}

    def predict(self, batch):
        sys.exit("no licence found")


class ExitsAtOnce:
    card = {**CARD, "name": "exitsatonce"}

    def predict(self, batch):
        print("no licence server", end="")
        os._exit(3)


class ExitsWhileMade:
    card = {**CARD, "name": "exitswhilemade"}

    def __init__(self):
        os._exit(0)

    def predict(self, batch):
        return None


class Segfault:
    card = {**CARD, "name": "segfault"}

    def predict(self, batch):
        return ctypes.string_at(0)


class Aborts:
    card = {**CARD, "name": "aborts"}

    def predict(self, batch):
        os.write(2, b"terminate called after throwing an instance of 'std::bad_alloc'\n")
        os.abort()


class Killed:
    """As the kernel does it to a process that used up the memory."""

    card = {**CARD, "name": "killed"}

    def predict(self, batch):
        os.kill(os.getpid(), signal.SIGKILL)


class Sleeps:
    card = {**CARD, "name": "sleeps"}

    def predict(self, batch):
        print("waiting for a lock")
        time.sleep(1000)


class SleepsWhileMade:
    card = {**CARD, "name": "sleepswhilemade"}

    def __init__(self):
        time.sleep(1000)

    def predict(self, batch):
        return None


class SpinsInC:
    """Never returns to the interpreter: no thread and no Python signal handler runs any more."""

    card = {**CARD, "name": "spinsinc"}

    def predict(self, batch):
        return re.match("(a+)+$", "a" * 100 + "b")


class LeavesAChildAndSpins(SpinsInC):
    def __init__(self):
        self.child = subprocess.Popen(["sleep", "1000"])


class PrintsForever:
    card = {**CARD, "name": "printsforever"}

    def predict(self, batch):
        while True:
            os.write(2, b"no end\n" * 1000)


class Allocates:
    card = {**CARD, "name": "allocates"}

    def predict(self, batch):
        return np.ones(10 * 2**30, dtype=np.uint8)


class CrashesOnce:
    """Dies in every process on its second batch, as a leak would make it."""

    card = {**CARD, "name": "crashesonce"}

    def __init__(self):
        self.batches = 0

    def predict(self, batch):
        self.batches += 1
        if self.batches == 2:
            os.kill(os.getpid(), signal.SIGSEGV)
        return np.zeros((len(batch), 2))
