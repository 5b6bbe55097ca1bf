"""One link of the chain: what people read of it, and the same for programs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Link:
    """A step from the release to the number.

    Attributes
    ----------
    name
        For programs.
    title
        For people.
    lines
        What a fact is called, and what it is.
    tables
        Lists of rows, each shown under its heading.
    facts
        The whole of it, as JSON holds it.
    differs
        Sentences about what is not as the run says; empty if all is.
    """

    name: str
    title: str
    lines: Sequence[tuple[str, str]]
    facts: Mapping[str, Any]
    tables: Mapping[str, Sequence[Mapping[str, Any]]] = field(default_factory=dict)
    differs: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Chain:
    """All links of one number.

    Attributes
    ----------
    heading
        The number in one sentence.
    facts
        Which number it is.
    needs
        What the links would say if the release were at hand; empty if it is.
    """

    heading: str
    facts: Mapping[str, Any]
    links: Sequence[Link]
    needs: str

    @property
    def differs(self) -> tuple[str, ...]:
        """What is not as the run says."""
        return tuple(sentence for link in self.links for sentence in link.differs)

    def as_json(self) -> dict[str, Any]:
        """Give all of it for programs."""
        return {
            **self.facts,
            "heading": self.heading,
            "needs": self.needs or None,
            "differs": list(self.differs),
            **{link.name: dict(link.facts) for link in self.links},
        }
