"""Files of fingerprints, which may be shared where signals may not.

A line of text with the version, a line of JSON that says which cohorts are in it, then for each cohort the
number of marks of every record (``<u4``) and all marks (`cohorts.overlap.fingerprint.MARK`). The JSON has
the SHA-256 of everything after it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Self

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from cohorts.cohort import CohortCard
from cohorts.errors import LeadboardError
from cohorts.overlap.fingerprint import MARK, Fingerprints

FIRST_LINE = b"leadboard fingerprints 1\n"

MOST_COHORTS = 1_000
MOST_RECORDS = 100_000_000
_LONGEST_HEADER = 1 << 20
_COUNT = np.dtype("<u4")
_Text = Annotated[str, Field(max_length=200, pattern=r"^[\x20-\x7e]*$")]
_Size = Annotated[int, Field(ge=0, le=MOST_RECORDS)]


class _Schema(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class CohortFacts(_Schema):
    """Whose fingerprints they are.

    Attributes
    ----------
    cohort, name, version, simulated
        As on its card.
    fingerprint
        Hash of the records of the prepared cohort.
    records, marks
        How many there are.
    """

    cohort: Annotated[str, Field(max_length=100, pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$")]
    name: _Text
    version: _Text
    simulated: bool
    fingerprint: _Text
    records: _Size
    marks: _Size


class _Header(_Schema):
    cohorts: Annotated[tuple[CohortFacts, ...], Field(max_length=MOST_COHORTS)]
    sha256: _Text


@dataclass(frozen=True, slots=True)
class CohortFingerprints:
    """The fingerprints of a cohort, and whose they are."""

    facts: CohortFacts
    fingerprints: Fingerprints

    @classmethod
    def of(cls, card: CohortCard, fingerprint: str, fingerprints: Fingerprints) -> Self:
        """Put the facts of a card, and the hash of its prepared records, beside the fingerprints."""
        facts = CohortFacts(
            cohort=card.id,
            name=_plain(card.name),
            version=_plain(card.version),
            simulated=card.simulated,
            fingerprint=fingerprint,
            records=len(fingerprints),
            marks=len(fingerprints.marks),
        )
        return cls(facts, fingerprints)

    def anonymous(self) -> Self:
        """Give the same in an order that says nothing about the order in the cohort."""
        return type(self)(self.facts, self.fingerprints.anonymous())


def _plain(text: str) -> str:
    return "".join(character if " " <= character <= "~" else "?" for character in text)[:200]


def to_bytes(cohorts: Sequence[CohortFingerprints]) -> bytes:
    """Give the content of a file."""
    content = b"".join(
        one.fingerprints.counts.astype(_COUNT).tobytes() + one.fingerprints.marks.tobytes() for one in cohorts
    )
    header = _Header(cohorts=tuple(one.facts for one in cohorts), sha256=hashlib.sha256(content).hexdigest())
    return FIRST_LINE + header.model_dump_json().encode() + b"\n" + content


def from_bytes(data: bytes) -> tuple[CohortFingerprints, ...]:
    """Read the content of a file, which may be a stranger's.

    Raises
    ------
    LeadboardError
        Saying in a few words what is wrong with it.
    """
    if not data.startswith(FIRST_LINE):
        known = data.startswith(FIRST_LINE.rsplit(b" ", 1)[0])
        raise LeadboardError("it is of another version" if known else "it holds no fingerprints")
    end = data.find(b"\n", len(FIRST_LINE), len(FIRST_LINE) + _LONGEST_HEADER)
    try:
        header = _Header.model_validate_json(data[len(FIRST_LINE) : end])
    except ValidationError:
        raise LeadboardError("it does not say whose fingerprints it holds") from None
    content = memoryview(data)[end + 1 :]
    sizes = [one.records * _COUNT.itemsize + one.marks * MARK.itemsize for one in header.cohorts]
    if sum(sizes) != len(content):
        raise LeadboardError("it is not complete")
    if hashlib.sha256(content).hexdigest() != header.sha256:
        raise LeadboardError("it was changed after it was written")
    found, place = [], 0
    for facts in header.cohorts:
        counts = np.frombuffer(content, _COUNT, facts.records, place).astype(np.int64)
        place += facts.records * _COUNT.itemsize
        marks = np.frombuffer(content, MARK, facts.marks, place)
        place += facts.marks * MARK.itemsize
        if counts.sum() != facts.marks:
            raise LeadboardError("the numbers of its marks do not add up")
        found.append(CohortFingerprints(facts, Fingerprints(marks, counts)))
    return tuple(found)
