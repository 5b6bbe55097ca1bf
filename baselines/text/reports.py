"""Reports as sets of sentences."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
import numpy.typing as npt

Ids = npt.NDArray[np.int64]


def normalised(sentence: str) -> str:
    """Take away what makes no difference: case, spaces, the full stop."""
    return " ".join(sentence.split()).casefold().rstrip(" .")


@dataclass(frozen=True, eq=False)
class Reports:
    """What was written about records, as numbers of sentences.

    Attributes
    ----------
    sentences
        Each distinct sentence once, as it was first written.
    ids
        Numbers of the sentences of all records, one record behind the other.
    offsets
        ``[records + 1]``: where each record begins in ``ids``.
    groups
        ``[records]``: a number that records share if their reports say the same, in whatever order.
    """

    sentences: tuple[str, ...]
    ids: Ids
    offsets: Ids
    groups: Ids

    @classmethod
    def of(cls, reports: Iterable[Sequence[str]]) -> Self:
        """Take the sentences of each record; one that is empty or said twice does not count."""
        number: dict[str, int] = {}
        sentences: list[str] = []
        group: dict[tuple[int, ...], int] = {}
        ids: list[int] = []
        offsets, groups = [0], []
        for report in reports:
            said = set()
            for sentence in report:
                key = normalised(sentence)
                if key and key not in number:
                    number[key] = len(number)
                    sentences.append(sentence)
                if key:
                    said.add(number[key])
            ids.extend(sorted(said))
            offsets.append(len(ids))
            groups.append(group.setdefault(tuple(sorted(said)), len(group)))
        as_array = [np.array(values, dtype=np.int64) for values in (ids, offsets, groups)]
        return cls(tuple(sentences), *as_array)

    def __len__(self) -> int:
        return len(self.groups)

    @property
    def lengths(self) -> Ids:
        """Sentences of each record."""
        return np.diff(self.offsets)

    @property
    def digest(self) -> str:
        """Hash of everything."""
        digest = hashlib.sha256("\n".join(self.sentences).encode())
        digest.update(self.ids.tobytes() + self.offsets.tobytes())
        return digest.hexdigest()

    def of_record(self, row: int) -> Ids:
        """Numbers of one record's sentences."""
        return self.ids[self.offsets[row] : self.offsets[row + 1]]

    def texts(self, ids: Ids, offsets: Ids) -> list[str]:
        """Write out reports, given as numbers of sentences one behind the other and where each begins."""
        reports = np.split(ids, offsets[1:])
        return [". ".join(self.sentences[number] for number in report.tolist()) for report in reports]

    def some(self, row: int, whole: float, rng: np.random.Generator) -> Ids:
        """Draw a part of a report that is not empty, of any size alike; with chance ``whole`` all of it."""
        said = self.of_record(row)
        if len(said) == 1 or rng.random() < whole:
            return said
        return rng.choice(said, rng.integers(1, len(said), endpoint=True), replace=False)
