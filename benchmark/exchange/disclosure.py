"""What of a count and of a figure may leave a hospital.

Three rules, which `docs/submit.md` defends against a reader who wants to know more:

- A count below the minimum is not given, 0 included, and every other count is rounded down to a multiple of
  the minimum, itself a multiple of 10. So no difference of two counts, within one file or between two, gives
  a small one, and files of one run with other minima tell together no more than the finest of them.
- A figure is given only where everything that it is a fraction of could be given.
- A figure has no more digits than its own uncertainty: an exact fraction tells what it is a fraction of.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated

from pydantic import Field

from benchmark.files import write_atomically
from benchmark.metrics.estimates import Estimate, Result
from benchmark.metrics.intervals import LEVEL, NORMAL
from cohorts.errors import LeadboardError

MINIMUM = 10
LEAST_MINIMUM, MOST_MINIMUM = 10, 50
"""Below, a count is next to a name; above, nothing is left to be told."""

MINIMA = range(LEAST_MINIMUM, MOST_MINIMUM + 1, LEAST_MINIMUM)
"""Multiples of the least alone: the borders of one minimum's steps would lie between those of another's, and
a count could be narrowed down."""

WITHHELD = "withheld"
"""In place of a count of records that is large enough, but may be of too few patients."""

Count = Annotated[int, Field(ge=0)] | Annotated[str, Field(pattern=rf"^(< \d{{1,2}}|{WITHHELD})$")]
"""A multiple of the minimum, ``"< 10"`` below it, or ``"withheld"``."""

COARSE = 0.02
"""Standard error from which an AUROC has two decimals."""

FINE = 3
"""Decimals below that."""

SITE_KEY = "site-key"


class Figure(Result):
    """A rounded value with its 95 % interval; ``standard_error`` is that of its resamples."""

    value: float
    low: float | None = None
    high: float | None = None
    standard_error: float | None = None


@dataclass(frozen=True, slots=True)
class Disclosure:
    """How the counts and figures of one cell are given.

    Attributes
    ----------
    minimum
        Smallest count that is given; a multiple of `LEAST_MINIMUM`.
    repeated
        Records beyond the first of their patient: so many records less, at worst, are the patients of a
        group of records.
    """

    minimum: int
    repeated: int = 0

    def gives(self, *counts: int) -> bool:
        """Whether these numbers of records are of enough patients each, however these are spread."""
        return all(count - self.repeated >= self.minimum for count in counts)

    def count(self, value: int, patients: int | None = None) -> Count:
        """Give a number of records, of which the number of patients may be known."""
        enough = self.gives(value) if patients is None else patients >= self.minimum
        return self.records(value) if enough or value < self.minimum else WITHHELD

    def records(self, value: int) -> Count:
        """Give a number of records of which nothing else is told: they may be those of a single patient."""
        return rounded(value, self.minimum) if value >= self.minimum else f"< {self.minimum}"


def rounded(value: int, base: int) -> int:
    """Round a count down to a multiple of a base.

    Examples
    --------
    >>> [rounded(value, 10) for value in (10, 15, 19, 104)]
    [10, 10, 10, 100]
    """
    return value // base * base


def figure(found: Estimate | None, standard_error: float | None = None, *, most: int = FINE) -> Figure | None:
    """Round an estimate as its uncertainty allows; None where it has no value.

    Parameters
    ----------
    standard_error
        Of the resamples; where it is not given the interval says how many digits there are.
    most
        Decimals: of an AUROC those of `resolution`, two for what is, or may be, a share of the records.
    """
    if found is None or found.value is None:
        return None
    ends = found.interval
    error = standard_error
    if error is None and ends is not None:
        error = (ends[1] - ends[0]) / (2 * NORMAL.inv_cdf((1 + LEVEL) / 2))
    digits = min(most, FINE if error is not None and error < COARSE else 2)
    return Figure(
        value=round(found.value, digits),
        low=None if ends is None else round(ends[0], digits),
        high=None if ends is None else round(ends[1], digits),
        standard_error=None if standard_error is None else significant(standard_error),
    )


def resolution(positives: int, negatives: int) -> int:
    """Decimals at which an AUROC tells nothing of its counts.

    It is a number of pairs out of positives times negatives: as long as there are more of these than values
    that can be written, any of them can be had with any counts.
    """
    pairs = positives * negatives
    return FINE if pairs >= 1000 else 2 if pairs >= 100 else 1


def proportion(found: Estimate) -> Figure | None:
    """Round a proportion to two decimals."""
    return None if found.value is None else figure(replace(found, low=None, high=None))


def significant(value: float, digits: int = 2) -> float:
    """Round to significant digits.

    Examples
    --------
    >>> significant(0.012345), significant(0.0)
    (0.012, 0.0)
    """
    return float(f"{value:.{digits}g}")


def site_key(cache: Path) -> bytes:
    """Give the secret of this site, made on first use; it never leaves the cache.

    Raises
    ------
    LeadboardError
        If it cannot be read or written.
    """
    path = cache / SITE_KEY
    try:
        if not path.is_file():
            write_atomically(path, secrets.token_bytes(32))
            path.chmod(0o600)
        return path.read_bytes()
    except OSError as error:
        raise LeadboardError(f"{path} cannot be read ({error.strerror}).") from None


def find_site_key(cache: Path) -> bytes | None:
    """Give the secret of this site if it has one; nothing is made."""
    return site_key(cache) if (cache / SITE_KEY).is_file() else None


def pseudonym(key: bytes, text: str) -> str:
    """Stand in for a hash of a hospital's data, which whoever guesses the data could recognise."""
    return hmac.new(key, text.encode(), hashlib.sha256).hexdigest()[:16]
