"""Everything that this project raises on purpose.

::

    LeadboardError            one sentence: what was found, where, what to do
    ├── UsageError            the call is wrong: unknown name, missing folder, unreadable file
    │   └── UnknownNameError  a name that is not in its list, with the nearest one that is
    ├── RecordError           one recording cannot be used: it is quarantined, the cohort goes on
    └── ModelError            one model breaks its contract: its cells fail, the run goes on
"""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches


class LeadboardError(Exception):
    """Base of all expected failures; the message is one sentence for the user."""


class UsageError(LeadboardError):
    """The call cannot be carried out as given (exit code 2)."""


class UnknownNameError(UsageError):
    """A name that is not in its list.

    Parameters
    ----------
    kind
        What the name should have been, for example ``"cohort"``.
    name
        The name that was asked for.
    available
        The names there are.
    """

    def __init__(self, kind: str, name: str, available: Iterable[str]) -> None:
        names = sorted(available)
        near = nearest(name, names)
        hint = f" Did you mean '{near}'?" if near else ""
        super().__init__(f"Unknown {kind} '{name}'.{hint} Available: {', '.join(names) or 'none'}.")


class RecordError(LeadboardError):
    """One recording cannot be used; the message is the reason shown in the quarantine list."""


class ModelError(LeadboardError):
    """A model breaks its contract; the message says which part of it and how."""


def nearest(name: str, available: Iterable[str]) -> str:
    """Give the most similar of some names, at best the same in other letters' case; empty where none is."""
    names = sorted(available)
    same = [other for other in names if other.casefold() == name.casefold()]
    return next(iter(same or get_close_matches(name, names, n=1)), "")


def some(items: Iterable[str], shown: int = 5) -> str:
    """Name the first of many things in a sentence, and how many more there are."""
    every = list(items)
    return ", ".join(every[:shown]) + (f" and {len(every) - shown:,} more" if len(every) > shown else "")
