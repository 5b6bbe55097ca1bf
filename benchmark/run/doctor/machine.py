"""What is looked at, and what is found."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Literal, NamedTuple

from benchmark.config import Places
from cohorts.catalogue import all_cohorts, open_cohort
from cohorts.cohort import Cohort
from cohorts.errors import LeadboardError
from cohorts.store import Store, find_store

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


@dataclass(frozen=True)
class Machine:
    """What the checks look at.

    Attributes
    ----------
    places
        None where they cannot be found, for the reason ``wrong``.
    models
        Whose weights are wanted.
    """

    places: Places | None
    wrong: str = ""
    models: tuple[str, ...] = ()

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
