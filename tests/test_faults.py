"""A short part of the soak, with fixed seeds; `make soak` goes on for as long as one likes."""

from __future__ import annotations

import os
import random
import subprocess
import sys
from pathlib import Path

import pytest

from tests.soak.__main__ import repeat, soak
from tests.soak.faults import Fault, Lost, check_manners
from tests.soak.mutation import mutated
from tests.soak.processes import Ended

ROOT = Path(__file__).resolve().parents[1]
SHORT = (
    *("kill -9: prepare", "two at once: prepare and prepare", "disk: cache elsewhere, prepare"),
    *("damage: predictions", "fuzzing: WFDB header", "fuzzing: result record", "fuzzing: run.json"),
    *("fuzzing: archives", "fuzzing: frames of a worker", "fuzzing: publishers' answers"),
)


def test_nothing_is_lost() -> None:
    """In a process of its own, since what forks must not have computed yet; most of it is imports."""
    command = [sys.executable, "-m", "tests.soak", "--rounds", "1"]
    for name in SHORT:
        command += ["--only", name]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    answer = subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False, timeout=250
    )
    assert answer.returncode == 0, answer.stdout + answer.stderr
    assert "0 with a loss" in answer.stdout
    rows = [line for line in answer.stdout.splitlines() if line.startswith(SHORT)]
    assert len(rows) == len(SHORT)


def test_a_fault_is_tried_with_one_seed_after_the_other_and_repeats(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def unlucky(chance: random.Random, home: Path) -> int:
        assert not list(home.iterdir())
        (home / "left").touch()
        if chance.random() < 0.5:
            raise Lost("a cell")
        return 3

    fault = Fault("test", "coin", "thrown", unlucky)
    (tally,) = soak([fault], tmp_path / "home", 0, 100, rounds=40)
    seeds = [seed for seed, _ in tally.lost]
    assert 5 < len(seeds) < 35
    assert tally.tried == 3 * (40 - len(seeds)) + len(seeds)
    assert repeat(fault, seeds[0]) in capsys.readouterr().out
    (again,) = soak([fault], tmp_path / "home", 0, seeds[0], rounds=1)
    assert again.lost == [(seeds[0], "a cell")]
    assert not (tmp_path / "home").exists()


@pytest.mark.parametrize(
    ("ended", "match"),
    [
        (
            Ended(1, 'Traceback (most recent call last):\n  File "x"\nKeyError: 1\n', 1.0),
            "a traceback: KeyError: 1",
        ),
        (Ended(-14, "Reading\n", 90.0), "it hung"),
        (Ended(-11, "Reading\n", 1.0), "exit code -11"),
        (Ended(1, "", 1.0), "without a word"),
        (Ended(2, "leadboard: No.\n", 1.0), "exit code 2 instead of 0 or 1"),
    ],
)
def test_what_a_command_must_not_do(ended: Ended, match: str) -> None:
    with pytest.raises(Lost, match=match):
        check_manners(ended, 0, 1)
    assert check_manners(Ended(1, "leadboard: No.\n", 1.0), 0, 1).sentence == "leadboard: No."


def test_mutations_repeat_and_change_something() -> None:
    whole = b'{"cells": [1, 2.5, "text"], "name": {"of": "run"}}'
    first = [mutated(whole, random.Random(seed)) for seed in range(200)]
    assert first == [mutated(whole, random.Random(seed)) for seed in range(200)]
    assert sum(content == whole for content in first) < 20
    assert len(set(first)) > 120
