"""What came of the checks."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict

from benchmark.models.label_map import OwnLabel
from benchmark.text import visible

Outcome = Literal["pass", "fail", "skipped"]


class CheckResult(BaseModel):
    """One line of the report.

    Attributes
    ----------
    name
        Of the check.
    reason
        What was seen, or what is wrong, or why nothing could be seen.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    outcome: Outcome
    reason: str

    def text(self) -> str:
        """Outcome and reason in one line that obeys nothing that a model says."""
        shown = "FAIL" if self.outcome == "fail" else self.outcome
        return f"{shown:8}{visible(self.reason)}".rstrip()


class CheckReport(BaseModel):
    """All checks of one model.

    Attributes
    ----------
    model
        How the user named it.
    device
        Where it was asked.
    labels
        What its own labels mean, of a model that scores under names of its own.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    model: str
    device: str
    checks: tuple[CheckResult, ...]
    labels: tuple[OwnLabel, ...] = ()

    @property
    def failures(self) -> tuple[CheckResult, ...]:
        """The checks that failed."""
        return tuple(check for check in self.checks if check.outcome == "fail")

    def summary(self) -> str:
        """One sentence."""
        numbers = {
            outcome: sum(check.outcome == outcome for check in self.checks)
            for outcome in ("pass", "fail", "skipped")
        }
        return f"{numbers['pass']} passed, {numbers['fail']} failed, {numbers['skipped']} skipped."
