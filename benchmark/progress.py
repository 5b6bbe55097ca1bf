"""Progress for people: a bar with rate and ETA on a terminal, plain lines elsewhere."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager

from rich.console import Console, RenderableType
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from benchmark.text import visible

Callback = Callable[[int, int], None]

PLAIN_INTERVAL = 10.0
"""Seconds between two plain lines of one step."""


class _Pace:
    """How quickly a step's own work goes.

    What a step waits for (a training inside of it) has a line of its own and is no part of its pace; nor is
    what comes before its first batch, such as loading a model, once there is a second batch to judge by.
    """

    def __init__(self) -> None:
        self.done = 0
        self.away = 0.0
        self._started = time.perf_counter()
        self._first: tuple[int, float] | None = None

    @property
    def seconds(self) -> float:
        """Own time so far."""
        return time.perf_counter() - self._started - self.away

    def tell(self, done: int) -> None:
        """So many are done now."""
        self.done = done
        if self._first is None:
            self._first = done, self.seconds

    @property
    def rate(self) -> float:
        """Records, or whatever is counted, a second."""
        done, seconds = self._first or (0, 0.0)
        if self.done <= done:
            done, seconds = 0, 0.0
        return (self.done - done) / max(self.seconds - seconds, 1e-9)


def _rate(rate: float) -> str:
    return f"{rate:,.0f}/s" if rate >= 10 else f"{rate:.1f}/s" if rate >= 0.1 else f"{60 * rate:.1f}/min"


class _Bar(Progress):
    """A bar with something above it."""

    above: Callable[[], RenderableType] | None = None

    def get_renderables(self) -> Iterable[RenderableType]:
        if self.above is not None:
            yield self.above()
        yield from super().get_renderables()


class Reporter:
    """Prints what a long command does; to standard error, so that ``--json`` stays clean.

    Parameters
    ----------
    quiet
        Whether it prints nothing.
    """

    def __init__(self, *, quiet: bool = False) -> None:
        self.console = Console(stderr=True, highlight=False, markup=False, emoji=False, quiet=quiet)
        self.above: Callable[[], RenderableType] | None = None
        """Draws what is to stand above the bar of a step, on a terminal."""
        self._steps: list[_Pace] = []

    def say(self, text: str) -> None:
        """One line of text, as it is; markup, emoji and control characters in it are not obeyed."""
        self.console.print(visible(text), soft_wrap=True)

    @contextmanager
    def step(
        self, label: str, unit: str = "records", *, quiet_without_work: bool = False
    ) -> Iterator[Callback]:
        """Show one step; the callback takes how many of how many are done.

        With ``quiet_without_work`` a step that never called back says nothing.
        """
        pace = _Pace()
        self._steps.append(pace)
        try:
            with (
                self._bar(label, pace)
                if self.console.is_terminal
                else self._lines(label, unit, pace) as update
            ):
                yield update
        finally:
            self._steps.remove(pace)
            if self._steps:
                self._steps[-1].away += pace.seconds + pace.away
        if pace.done:
            self.say(f"{label}: {pace.done:,} {unit} in {pace.seconds:,.1f} s, {_rate(pace.rate)}")
        elif not quiet_without_work:
            self.say(f"{label}: {pace.seconds:,.1f} s")

    @contextmanager
    def _bar(self, label: str, pace: _Pace) -> Iterator[Callback]:
        columns = (
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[rate]}", markup=False),
            TimeRemainingColumn(),
        )
        # Not redirected: what a model prints meanwhile would be decoded as colours and links.
        bar = _Bar(
            *columns, console=self.console, transient=True, redirect_stdout=False, redirect_stderr=False
        )
        bar.above = (
            self.above if len(self._steps) == 1 else None
        )  # a step inside of another has a bar below it
        with bar:
            task = bar.add_task(visible(label), total=None, rate="")

            def update(completed: int, total: int) -> None:
                pace.tell(completed)
                bar.update(task, completed=completed, total=total, rate=_rate(pace.rate))

            yield update

    @contextmanager
    def _lines(self, label: str, unit: str, pace: _Pace) -> Iterator[Callback]:
        last = 0.0

        def update(completed: int, total: int) -> None:
            nonlocal last
            pace.tell(completed)
            if pace.seconds - last >= PLAIN_INTERVAL and completed:
                eta = (total - completed) / pace.rate
                self.say(f"{label}: {completed:,} of {total:,} {unit}, {_rate(pace.rate)}, {eta:,.0f} s left")
                last = pace.seconds

        yield update


@contextmanager
def logging_to(reporter: Reporter) -> Iterator[None]:
    """Do what `log_to` does for a while, and leave the log as it was."""
    logger = logging.getLogger("leadboard")
    before = list(logger.handlers), logger.level, logger.propagate
    log_to(reporter)
    try:
        yield
    finally:
        logger.handlers, logger.level, logger.propagate = before


def log_to(reporter: Reporter) -> None:
    """Show the suite's log messages (epochs of a training, for example) through the reporter."""

    class Handler(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            reporter.say("  " + record.getMessage())

    logger = logging.getLogger("leadboard")
    logger.handlers = [Handler()]
    logger.setLevel(logging.INFO)
    logger.propagate = False
