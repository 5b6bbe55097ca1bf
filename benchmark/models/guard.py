"""Calling code of a model, which may raise anything."""

from __future__ import annotations

import traceback
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from benchmark.text import printable
from cohorts.errors import LeadboardError, ModelError

T = TypeVar("T")


def guarded(what: str, call: Callable[[], T]) -> T:
    """Call code of a plugin; whatever it raises becomes a `ModelError` with its last words.

    The one place where every exception is caught: a stranger's code may raise anything, and the
    other cells of the run must go on.
    """
    try:
        return call()
    except LeadboardError:
        raise
    except (Exception, SystemExit) as error:
        frame = traceback.extract_tb(error.__traceback__)[-1]
        file, line = frame.filename, frame.lineno
        if isinstance(error, SyntaxError) and error.filename:
            file, line = error.filename, error.lineno
        where = f"{Path(file).name}:{line}"
        raise ModelError(
            f"{what} raised {type(error).__name__} at {where}: {printable(str(error)) or 'no message'}"
        ) from error
