"""Progress for people: a bar with rate and ETA on a terminal, plain lines elsewhere."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from benchmark.text import visible

Callback = Callable[[int, int], None]

PLAIN_INTERVAL = 10.0
"""Seconds between two plain lines of one step."""


class Reporter:
    """Prints what a long command does; to standard error, so that ``--json`` stays clean."""

    def __init__(self) -> None:
        self.console = Console(stderr=True, highlight=False, markup=False, emoji=False)

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
        started = time.perf_counter()
        done = 0
        if self.console.is_terminal:
            columns = (
                TextColumn("{task.description}", markup=False),
                BarColumn(),
                MofNCompleteColumn(),
                TimeRemainingColumn(),
            )
            # Not redirected: what a model prints meanwhile would be decoded as colours and links.
            bar = Progress(
                *columns,
                console=self.console,
                transient=True,
                redirect_stdout=False,
                redirect_stderr=False,
            )
            with bar:
                task = bar.add_task(visible(label), total=None)

                def update(completed: int, total: int) -> None:
                    nonlocal done
                    done = completed
                    bar.update(task, completed=completed, total=total)

                yield update
        else:
            last = started

            def update(completed: int, total: int) -> None:
                nonlocal done, last
                done = completed
                now = time.perf_counter()
                if now - last >= PLAIN_INTERVAL and completed:
                    rate = completed / (now - started)
                    eta = (total - completed) / rate
                    self.say(f"{label}: {completed:,} of {total:,} {unit}, {rate:,.0f}/s, {eta:,.0f} s left")
                    last = now

            yield update
        seconds = time.perf_counter() - started
        if done:
            self.say(f"{label}: {done:,} {unit} in {seconds:,.1f} s, {done / seconds:,.0f}/s")
        elif not quiet_without_work:
            self.say(f"{label}: {seconds:,.1f} s")


def log_to(reporter: Reporter) -> None:
    """Show the suite's log messages (epochs of a training, for example) through the reporter."""

    class Handler(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            reporter.say("  " + record.getMessage())

    logger = logging.getLogger("leadboard")
    logger.handlers = [Handler()]
    logger.setLevel(logging.INFO)
    logger.propagate = False
