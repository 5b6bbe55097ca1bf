"""Work on what comes next while somebody is busy with what is there."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from queue import Full, Queue
from threading import Event, Thread
from typing import TypeVar

T = TypeVar("T")

_PATIENCE = 0.1


def ahead(items: Generator[T], depth: int) -> Iterator[T]:
    """Run a generator in a thread of its own, at most ``depth`` items ahead of whoever takes them.

    Items come in order; an error comes where the generator raised it. The generator is closed, in its own
    thread, when it has ended or nobody takes any more.
    """
    made: Queue[tuple[T] | BaseException | None] = Queue(depth)
    abandoned = Event()

    def hand_over(what: tuple[T] | BaseException | None) -> None:
        while not abandoned.is_set():
            try:
                made.put(what, timeout=_PATIENCE)
            except Full:
                continue
            return

    def make() -> None:
        end: BaseException | None = None
        try:
            for item in items:
                hand_over((item,))
                if abandoned.is_set():
                    break
        except BaseException as error:  # noqa: BLE001 - raised again in the thread of whoever takes the items
            end = error
        finally:
            items.close()
        hand_over(end)

    thread = Thread(target=make, name="reading ahead", daemon=True)
    thread.start()
    try:
        while (what := made.get()) is not None:
            if isinstance(what, BaseException):
                raise what
            yield what[0]
    finally:
        abandoned.set()
        thread.join()
