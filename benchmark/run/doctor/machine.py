"""What is looked at, and what is found."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Literal, NamedTuple

from benchmark.config import Places
from benchmark.text import printable
from cohorts.catalogue import all_cohorts, open_cohort
from cohorts.cohort import Cohort
from cohorts.errors import LeadboardError
from cohorts.preparing import find_store
from cohorts.store import Store

Status = Literal["fine", "note", "problem"]


class Finding(NamedTuple):
    """One answer.

    Attributes
    ----------
    name
        Of the check.
    found, do
        What was found, and what to do about it. Neither names a person, a machine, a place, a private cohort.
    where
        Names and places, for the eyes of whoever sits here.
    """

    name: str
    status: Status
    found: str
    do: str = ""
    where: tuple[str, ...] = ()


class Release(NamedTuple):
    """A release that is here.

    Attributes
    ----------
    records
        How many are listed, as far as they can be counted; of a prepared one without those that cannot be
        used, if they are a tenth or more: then it is lists that are here, and not recordings.
    """

    release: Cohort
    store: Store | None
    records: int | None


class Torch(NamedTuple):
    """Its version, the CUDA that it is built for, and how many devices it can use."""

    version: str
    cuda: str | None
    devices: int


ASK_TORCH = """
import json, torch
devices = torch.cuda.device_count() if torch.cuda.is_available() else 0
print(json.dumps([str(torch.__version__), torch.version.cuda, devices]))
"""


@dataclass(frozen=True)
class Machine:
    """What the checks look at.

    Attributes
    ----------
    places
        None where they cannot be found.
    wrong
        What is wrong with the folders of this call; empty if nothing is.
    models
        Whose weights are wanted.
    """

    places: Places | None
    wrong: str = ""
    models: tuple[str, ...] = ()

    @cached_property
    def torch(self) -> Torch | str:
        """What torch says of itself, or why it cannot be asked.

        It is asked in a process of its own: a broken one may end the process that imports it.
        """
        call = (sys.executable, "-W", "ignore", "-c", ASK_TORCH)
        try:
            answer = subprocess.run(  # noqa: S603
                call, cwd=os.sep, capture_output=True, text=True, timeout=300, check=False
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            return type(error).__name__
        if answer.returncode:
            said = answer.stderr.strip().splitlines() or [f"it ended with {answer.returncode}"]
            return printable(said[-1], 120)
        version, cuda, devices = json.loads(answer.stdout.splitlines()[-1])
        return Torch(version, cuda, devices)

    @property
    def cache(self) -> Path | None:
        """The folder of the cache, which need not be there."""
        return None if self.places is None else self.places.cache

    @cached_property
    def releases(self) -> list[Release]:
        """All releases that are here."""
        found: list[Release] = []
        for name in all_cohorts() if self.places is not None else ():
            assert self.places is not None  # noqa: S101
            try:
                release = open_cohort(name, self.places.data, self.places.folders)
            except (LeadboardError, OSError):  # a folder of leadboard.toml that holds another one
                continue
            if release is None:
                continue
            store = find_store(release, self.places.cache)
            found.append(Release(release, store, _count(release, store)))
        return found


def _count(release: Cohort, store: Store | None) -> int | None:
    if store is not None:
        listed = len(store) + len(store.quarantine)
        return listed if len(store.quarantine) < listed / 10 else len(store)
    try:
        return len(release.index()) + len(release.unreadable)
    except (LeadboardError, OSError):
        return None


def nearest_folder(path: Path) -> Path:
    """Give the folder that is there, of a path and all above it."""
    return next((place for place in (path, *path.parents) if place.is_dir()), Path("/"))
