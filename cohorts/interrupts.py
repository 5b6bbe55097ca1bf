"""Making sure that Ctrl-C ends a long piece of work."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType


@contextmanager
def interruptible() -> Iterator[Callable[[], None]]:
    """Remember an interrupt until it has ended the work.

    Python raises KeyboardInterrupt wherever it happens to be. In a callback of its memory management the
    exception is printed and lost, and h5py has such a callback for every object that it closes.

    Yields
    ------
    callable
        To be called between two steps; raises KeyboardInterrupt if one was lost before.
    """
    if threading.current_thread() is not threading.main_thread():
        yield lambda: None  # signals reach the main thread alone
        return
    former, interrupted = signal.getsignal(signal.SIGINT), False

    def note(number: int, frame: FrameType | None) -> None:
        nonlocal interrupted
        interrupted = True
        if callable(former):
            former(number, frame)

    def check() -> None:
        if interrupted:
            raise KeyboardInterrupt

    if not callable(former):  # ignored, as under nohup, or not set by Python
        yield check
        return
    signal.signal(signal.SIGINT, note)
    try:
        yield check
        check()
    finally:
        signal.signal(signal.SIGINT, former)
