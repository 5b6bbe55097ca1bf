"""Ending on request: Ctrl-C ends a long piece of work for sure, and SIGTERM ends a command as Ctrl-C does."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any


@contextmanager
def interruptible() -> Iterator[Callable[[], None]]:
    """Remember an interrupt until it has ended the work.

    Python raises KeyboardInterrupt wherever it happens to be. In a callback of its memory management the
    exception is printed and lost, and h5py has such a callback for every object that it closes.

    Yields
    ------
    callable
        To be called between two steps; raises KeyboardInterrupt if one was lost before. Nothing is changed
        where interrupts are ignored or heard by somebody else.
    """
    interrupted = False

    def note(number: int, frame: FrameType | None) -> None:
        nonlocal interrupted
        interrupted = True
        signal.default_int_handler(number, frame)

    def check() -> None:
        if interrupted:
            raise KeyboardInterrupt

    in_main = threading.current_thread() is threading.main_thread()  # signals reach no other
    if not in_main or signal.getsignal(signal.SIGINT) is not signal.default_int_handler:
        yield check
        return
    signal.signal(signal.SIGINT, note)
    try:
        yield check
        check()
    finally:
        signal.signal(signal.SIGINT, signal.default_int_handler)


class Terminated(KeyboardInterrupt):
    """SIGTERM. Nothing that survives Ctrl-C survives this: no model, no training and no retry."""


def end_on_sigterm() -> None:
    """Let SIGTERM raise `Terminated` in this process; a second one ends it without any farewell.

    Children that were forked keep what the system does with it.
    """
    owner = os.getpid()

    def end(number: int, _: Any) -> None:
        signal.signal(number, signal.SIG_DFL)
        if os.getpid() != owner:
            os.kill(os.getpid(), number)
        raise Terminated

    signal.signal(signal.SIGTERM, end)
