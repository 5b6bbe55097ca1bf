"""Calling code of a model, which may raise anything and may never return."""

from __future__ import annotations

import faulthandler
import signal
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

from benchmark.models.worker.remote import RemoteModel
from benchmark.text import printable
from cohorts.errors import LeadboardError, ModelError
from cohorts.hashing import ROOT

T = TypeVar("T")

AGAIN = 10.0
"""Seconds after which a model that has caught the deadline's exception gets it once more."""

LAST_RESORT = 60.0
"""Seconds after the deadline at which the process is ended, because nothing else reaches the model."""

_STDERR = 2


class _OverdueError(BaseException):
    """Interrupts code of a model; no `except Exception` of it holds it up."""


def guarded(what: str, call: Callable[[], T], *through: type[Exception], seconds: float | None = None) -> T:
    """Call code of a plugin; whatever it raises becomes a `ModelError` with its last words.

    The one place where every exception is caught: a stranger's code may raise anything, and the
    other cells of the run must go on.

    Parameters
    ----------
    what
        Who is called, for the message.
    through
        Exceptions that are the caller's.
    seconds
        How long it may take; None for as long as it likes.

    Raises
    ------
    ModelError
        If it raises anything, or takes longer.
    """
    try:
        with _interrupted_after(seconds):
            return call()
    except LeadboardError:
        raise
    except _OverdueError as error:
        raise ModelError(
            f"{what} did not answer within {seconds:g} s{_where_it_hung(error)}; see --deadline"
        ) from error
    except (Exception, SystemExit) as error:
        if isinstance(error, through):
            raise
        frame = traceback.extract_tb(error.__traceback__)[-1]
        file, line = frame.filename, frame.lineno
        if isinstance(error, SyntaxError) and error.filename:
            file, line = error.filename, error.lineno
        where = f"{Path(file).name}:{line}"
        raise ModelError(
            f"{what} raised {type(error).__name__} at {where}: {printable(str(error)) or 'no message'}"
        ) from error


def asked(what: str, model: object, call: Callable[[], T], seconds: float, *through: type[Exception]) -> T:
    """Ask a model, `guarded`; one in a worker is watched by those who started it."""
    return guarded(what, call, *through, seconds=None if isinstance(model, RemoteModel) else seconds)


@contextmanager
def _interrupted_after(seconds: float | None) -> Iterator[None]:
    """Raise `_OverdueError` in whatever runs after some time.

    A signal interrupts what waits, such as for a process that has died; no thread could. Code below Python
    that never returns is not reached by it either: then the stacks are written to standard error, and the
    process ends. Only the main thread is watched.
    """
    if seconds is None or threading.current_thread() is not threading.main_thread():
        yield
        return

    def interrupt(*_: Any) -> None:
        raise _OverdueError

    before, started = signal.signal(signal.SIGALRM, interrupt), time.monotonic()
    left, interval = signal.setitimer(signal.ITIMER_REAL, seconds, AGAIN)
    faulthandler.dump_traceback_later(seconds + LAST_RESORT, exit=True, file=_STDERR)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        faulthandler.cancel_dump_traceback_later()
        signal.signal(signal.SIGALRM, before)
        if left:  # somebody else's alarm
            rest = max(left - (time.monotonic() - started), 1e-3)
            signal.setitimer(signal.ITIMER_REAL, rest, interval)


def _where_it_hung(error: BaseException) -> str:
    """Where it stood: the last line of the model's own code, and what that was waiting in."""
    frames = [
        frame
        for frame in traceback.extract_tb(error.__traceback__)
        if not Path(frame.filename).is_relative_to(ROOT / "benchmark") and "<frozen" not in frame.filename
    ]
    own = [frame for frame in frames if "/lib/python" not in frame.filename] or frames
    if not own:
        return ""
    place = f" at {Path(own[-1].filename).name}:{own[-1].lineno}"
    if frames[-1] is own[-1]:
        return place
    return f"{place}, in {frames[-1].name} ({Path(frames[-1].filename).name}:{frames[-1].lineno})"
