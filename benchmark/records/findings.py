"""What a verification found."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

from benchmark.text import printable


class Finding(NamedTuple):
    """One sentence about one record or file, of visible characters only."""

    where: str
    what: str


@dataclass
class Verification:
    """How many things agree, which differ, and which could not be checked.

    Attributes
    ----------
    remarks
        What a reviewer should know and is no difference.
    """

    agreed: int = 0
    differences: list[Finding] = field(default_factory=list)
    unchecked: list[Finding] = field(default_factory=list)
    remarks: list[Finding] = field(default_factory=list)

    def at(self, where: str) -> Findings:
        """Collect what is found about one record or file."""
        return Findings(self, printable(where, 120))


@dataclass(frozen=True, slots=True)
class Findings:
    """Collects what is found about one record or file."""

    verification: Verification
    where: str

    def check(self, holds: bool, otherwise: str) -> bool:
        """Count what holds, and enter the sentence where it does not."""
        if holds:
            self.verification.agreed += 1
        else:
            self.verification.differences.append(self._finding(otherwise))
        return holds

    def skip(self, what: str) -> None:
        """Enter what could not be checked, and why."""
        self.verification.unchecked.append(self._finding(what))

    def remark(self, what: str) -> None:
        """Enter something for the reviewer."""
        self.verification.remarks.append(self._finding(what))

    def _finding(self, what: str) -> Finding:
        return Finding(self.where, printable(what, 500))
