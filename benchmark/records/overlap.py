"""In which other cohorts the recordings of a cohort were found, as a record states it."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict

from benchmark.models.contamination import holders


class ComparedCohort(BaseModel):
    """A cohort in which recordings were looked for.

    Attributes
    ----------
    cohort, name, version, fingerprint
        Which, and in which state.
    records
        How many recordings were looked through.
    shared
        How many of the own recordings were found in it.
    by
        Whether the signals were compared, or fingerprints alone, because the signals are not here.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    cohort: str
    name: str
    version: str
    fingerprint: str
    records: int
    shared: int
    by: Literal["signals", "fingerprints"]


class Overlap(BaseModel):
    """In which other cohorts the recordings of a cohort were found.

    Attributes
    ----------
    records
        How many of its recordings were looked for.
    not_compared
        How many could not be: they are too short, or have no beats.
    cohorts
        Where they were looked for.
    code, leadboard, seed
        Hash of the code that compared, version of this package, seed of the fingerprints' directions.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    records: int
    not_compared: int
    cohorts: tuple[ComparedCohort, ...]
    code: str
    leadboard: str
    seed: int

    @property
    def shared(self) -> tuple[ComparedCohort, ...]:
        """The cohorts that hold some of the recordings."""
        return tuple(one for one in self.cohorts if one.shared)

    @property
    def also_in(self) -> set[str]:
        """Ids of the cohorts that hold some of the recordings, or may hold them."""
        return holders([one.cohort for one in self.shared], [one.cohort for one in self.cohorts])


def also_in(overlap: Overlap | None) -> set[str]:
    """Cohorts that hold recordings of a compared cohort, or may hold them; none if it was not compared."""
    return set() if overlap is None else overlap.also_in
