"""What a fault is: a row of a table that says what is done, and a function that does it once."""

from __future__ import annotations

import random
import shutil
import signal
import traceback
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from tests.soak.processes import Ended


class Lost(Exception):  # noqa: N818 - it is what was lost, not an error of the harness
    """What a fault cost: a result, a clear sentence, or the end of the command."""


class Fault(NamedTuple):
    """One kind of mishap to one command or file.

    Attributes
    ----------
    kind, what
        Together the name of the fault.
    how
        How it is tried, for the table.
    attempt
        Given a generator and an empty folder, tries it; raises `Lost` if anything was lost. Gives how many
        times it was tried.
    """

    kind: str
    what: str
    how: str
    attempt: Callable[[random.Random, Path], int]

    @property
    def name(self) -> str:
        """For ``--only``."""
        return f"{self.kind}: {self.what}"


@dataclass
class Tally:
    """How often a fault was tried, and the seeds with which something was lost."""

    fault: Fault
    tried: int = 0
    seconds: float = 0.0
    lost: list[tuple[int, str]] = field(default_factory=list)


def attempt(fault: Fault, seed: int, home: Path) -> tuple[int, str]:
    """Try a fault in a folder of its own; how often it was tried, and what was lost ("" if nothing)."""
    shutil.rmtree(home, ignore_errors=True)
    home.mkdir(parents=True)
    try:
        return fault.attempt(random.Random(f"{fault.name} {seed}"), home), ""
    except Lost as lost:
        return 1, str(lost)
    except Exception as error:  # noqa: BLE001 - a loss too, and the soak has to go on
        place = traceback.extract_tb(error.__traceback__)[-1]
        return 1, f"{type(error).__name__} at {Path(place.filename).name}:{place.lineno}: {error}"
    finally:
        shutil.rmtree(home, ignore_errors=True)


def check_manners(ended: Ended, *codes: int) -> Ended:
    """See that a command ended by itself, with one of these exit codes and without a traceback."""
    if ended.code == -signal.SIGALRM:
        raise Lost(f"it hung; last line: {ended.sentence}")
    _, raised, rest = ended.said.partition("Traceback (most recent call last)")
    if raised:
        steps = [line.strip() for line in rest.splitlines() if line.startswith("  File")]
        error = next((line for line in rest.splitlines()[1:] if line[:1].strip()), "")
        raise Lost(f"a traceback: {error[:200]} ({' '.join(steps[-1:])})")
    if ended.code not in codes:
        raise Lost(f"exit code {ended.code} instead of {' or '.join(map(str, codes))}: {ended.sentence}")
    if ended.code > 0 and not ended.said.strip():
        raise Lost(f"exit code {ended.code} without a word")
    return ended
