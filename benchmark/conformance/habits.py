"""What a model changes in the process that it shares with the suite and with other models."""

from __future__ import annotations

import os
import signal
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cohorts.errors import ModelError


@dataclass(frozen=True)
class Habits:
    """What is the same for everybody in a process, at one moment."""

    folder: Path
    on_interrupt: Any
    mask: int
    number: str

    @classmethod
    def now(cls) -> Habits:
        """Look at this process."""
        os.umask(mask := os.umask(0))
        torch = sys.modules.get("torch")
        number = str(torch.get_default_dtype()) if torch else "torch.float32"
        return cls(Path.cwd(), signal.getsignal(signal.SIGINT), mask, number)

    def restore(self) -> None:
        """Put everything back."""
        os.chdir(self.folder)
        os.umask(self.mask)
        signal.signal(signal.SIGINT, self.on_interrupt)
        if torch := sys.modules.get("torch"):
            torch.set_default_dtype(getattr(torch, self.number.partition(".")[2]))


WORDS = {
    "folder": "the working folder (os.chdir)",
    "on_interrupt": "what Ctrl-C does (signal.signal)",
    "mask": "the rights of new files (os.umask)",
    "number": "torch's usual type of numbers (torch.set_default_dtype)",
}


def check_unchanged(before: Habits) -> str:
    """Put back what a model has changed, and raise `ModelError` if that was anything."""
    now = Habits.now()
    changed = [words for name, words in WORDS.items() if getattr(now, name) != getattr(before, name)]
    if changed:
        before.restore()
        raise ModelError(f"It changes {' and '.join(changed)} for everybody; put back what you set.")
    return "working folder, Ctrl-C, rights of files and torch's type are as before"
