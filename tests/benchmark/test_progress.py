"""What a long command says of itself is true."""

from __future__ import annotations

import io
from contextlib import suppress

import pytest
from rich.console import Console

from benchmark import progress
from benchmark.progress import Reporter


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def perf_counter(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    found = Clock()
    monkeypatch.setattr(progress, "time", found)
    return found


@pytest.fixture
def reporter() -> Reporter:
    made = Reporter()
    made.console = Console(file=io.StringIO(), force_terminal=False, width=200)
    return made


def said(reporter: Reporter) -> list[str]:
    return reporter.console.file.getvalue().splitlines()  # type: ignore[attr-defined]


def test_a_training_inside_of_a_cell_is_not_the_pace_of_its_records(clock: Clock, reporter: Reporter) -> None:
    with reporter.step("resnet1d on georgia") as update:
        with reporter.step("Training resnet1d"):
            clock.now += 840
        for done in (6, 13):
            clock.now += 1
            update(done, 13)
    assert said(reporter) == [
        "Training resnet1d: 840.0 s",
        "resnet1d on georgia: 13 records in 2.0 s, 7.0/s",
    ]


def test_what_is_left_is_told_by_the_pace_of_the_work_not_of_loading(
    clock: Clock, reporter: Reporter
) -> None:
    with reporter.step("slow on ptb-xl") as update:
        clock.now += 160  # loading, and a first batch
        update(64, 300)
        clock.now += 16
        update(128, 300)
        clock.now += 16
        update(192, 300)
    assert said(reporter) == [
        "slow on ptb-xl: 64 of 300 records, 0.4/s, 590 s left",
        "slow on ptb-xl: 128 of 300 records, 4.0/s, 43 s left",
        "slow on ptb-xl: 192 of 300 records, 4.0/s, 27 s left",
        "slow on ptb-xl: 192 records in 192.0 s, 4.0/s",
    ]


@pytest.mark.parametrize(
    ("rate", "expected"),
    [(2345.6, "2,346/s"), (10, "10/s"), (9.94, "9.9/s"), (0.1, "0.1/s"), (0.02, "1.2/min")],
)
def test_a_slow_pace_is_no_zero(rate: float, expected: str) -> None:
    assert progress._rate(rate) == expected


def test_a_step_that_fails_leaves_the_outer_one_in_order(clock: Clock, reporter: Reporter) -> None:
    with reporter.step("outer") as update:
        with suppress(ValueError), reporter.step("inner"):
            clock.now += 50
            raise ValueError("no")
        clock.now += 1
        update(5, 5)
    assert said(reporter) == ["outer: 5 records in 1.0 s, 5.0/s"]


def test_a_step_without_work_may_be_quiet(clock: Clock, reporter: Reporter) -> None:
    with reporter.step("nothing", quiet_without_work=True):
        clock.now += 3
    assert said(reporter) == []
