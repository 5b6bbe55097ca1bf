"""Check of what a model changes in the process that it shares with the suite and with other models."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path
from typing import Any

from cohorts.errors import ModelError

State = dict[str, Any]


def state() -> State:
    """What a model may not change: by its name, what it is now."""
    torch = sys.modules.get("torch")
    return {
        "the working folder (os.chdir)": _folder(),
        "the handler of Ctrl-C (signal.signal)": signal.getsignal(signal.SIGINT),
        "the mask of new files (os.umask)": _mask(),
        "the default type of torch (torch.set_default_dtype)": torch and torch.get_default_dtype(),
    }


def left_alone(before: State) -> str:
    """Nothing is changed that others in the process rely on.

    A model that changes the working folder when it is imported moves whatever has a relative path, and another
    default type makes other numbers of the models after it.
    """
    now = state()
    changed = [name for name, value in before.items() if value is not None and now[name] != value]
    os.umask(before["the mask of new files (os.umask)"])
    if changed:
        raise ModelError(
            f"It changes {' and '.join(changed)} for everybody; use whole paths and put back what you set."
        )
    return "working folder, Ctrl-C and the like are as before"


def _folder() -> str | None:
    try:
        return str(Path.cwd())
    except OSError:  # it was removed
        return None


def _mask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
