"""Ending on request: SIGTERM, as a job scheduler sends it, ends a command as Ctrl-C does."""

from __future__ import annotations

import os
import signal
from typing import Any


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
