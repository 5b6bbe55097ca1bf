"""What a process on another machine says, as lines of the call that sent it work.

The lines go through a queue of Ray's, which is beside the call. A line that finds the queue full is lost.
"""

from __future__ import annotations

import logging
import platform
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from benchmark.progress import PLAIN_INTERVAL, Reporter
from benchmark.run.ray_resources import NODE

LIMIT = 1000
"""Lines in the queue."""

ARRIVAL = 5.0
"""Seconds that the last line of a process may take."""


@dataclass(frozen=True)
class Outbox:
    """Where a process puts what it has to say.

    Attributes
    ----------
    queue
        Of `ray.util.queue`.
    interval
        Seconds between two lines of progress; a warning never waits.
    """

    queue: Any
    interval: float

    @contextmanager
    def reporter(self) -> Iterator[Reporter]:
        """Give what reports to the call; the suite's log goes there too, and all is there before it ends."""
        reporter = _Sender(self)
        logger = logging.getLogger("leadboard")
        before = list(logger.handlers), logger.level, logger.propagate
        logger.handlers, logger.propagate = [_Handler(reporter)], False
        logger.setLevel(logging.INFO)
        try:
            yield reporter
        finally:
            logger.handlers, logger.level, logger.propagate = before
            reporter.arrived()


class _Sender(Reporter):
    def __init__(self, outbox: Outbox) -> None:
        super().__init__(quiet=True)
        self._outbox = outbox
        self._next = 0.0
        self._last: Any = None

    def say(self, text: str) -> None:
        """Send a line of progress, unless the last one was a moment ago."""
        now = time.monotonic()
        if now >= self._next:
            self._next = now + self._outbox.interval
            self.send(text)

    def send(self, text: str) -> None:
        """Send a line; nobody waits for it, because who waits gives its processor away."""
        self._last = self._outbox.queue.actor.put_nowait.remote((platform.node(), text))

    def arrived(self) -> None:
        """Wait until what was sent is there."""
        if self._last is not None:
            import ray

            ray.wait([self._last], timeout=ARRIVAL)


class _Handler(logging.Handler):
    def __init__(self, sender: _Sender) -> None:
        super().__init__()
        self._sender = sender

    def emit(self, record: logging.LogRecord) -> None:
        tell = self._sender.send if record.levelno >= logging.WARNING else self._sender.say
        tell(record.getMessage())


class Inbox:
    """The queue as the call sees it.

    Parameters
    ----------
    ray
        The module.
    """

    def __init__(self, ray: Any) -> None:
        from ray.util.queue import Queue

        self._ray = ray
        here = ray.get_runtime_context().get_node_id()
        self._queue = Queue(LIMIT, actor_options={"num_cpus": 0, "label_selector": {NODE: here}})

    def outbox(self, places: int) -> Outbox:
        """Give what as many processes may use at once: all together send about a line a second."""
        return Outbox(self._queue, max(PLAIN_INTERVAL, float(places)))

    def deliver(self, reporter: Reporter) -> None:
        """Say what has come."""
        waiting = self._queue.qsize()
        for machine, text in self._queue.get_nowait_batch(waiting) if waiting else ():
            reporter.say(f"{machine}: {text.strip()}")
