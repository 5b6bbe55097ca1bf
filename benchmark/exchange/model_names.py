"""Names of the models on a joined board: one for each model, and for each fit where there are several."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import astuple, fields, replace

from benchmark.exchange.identity import Learnt, Stated
from benchmark.exchange.items import Item, apart, shortened
from benchmark.records.published_tasks import is_task
from benchmark.text import some
from cohorts.hashing import hash_of_json


def name_models(items: Sequence[Item]) -> list[str]:
    """Give different models of one name names of their own, and different fits of one model; say so.

    The same model under several protocols is one model. Two fits of it under one protocol are two rows of a
    board, because they would score the same recordings differently.
    """
    said = []
    for model in dict.fromkeys(item.model for item in items):
        same = [item for item in items if item.model == model]
        _complete(same)
        identities = [hash_of_json([item.identity, *astuple(item.stated)]) for item in same]
        short = shortened(identities)
        marks = [[short[one]] if len(short) > 1 else [] for one in identities]
        several: dict[str, None] = {}
        for one in short:
            at = [place for place, identity in enumerate(identities) if identity == one]
            fits, protocols = _fit_marks([same[place] for place in at])
            several |= dict.fromkeys(protocols)
            for place, mark in zip(at, fits, strict=True):
                marks[place] += filter(None, [mark])
        for item, own in zip(same, marks, strict=True):
            item.model = f"{model} [{', '.join(own)}]" if own else model
        if len(short) > 1:
            ways = ", and they were fitted in several ways" if several else ""
            begin = f"{len(short)} models of different card, code or weights are called {model}{ways}"
            said.append(apart(begin, same))
        elif several:
            said.append(apart(f"{model} was fitted in several ways under {some(several)}", same))
    return said


def _complete(items: Sequence[Item]) -> None:
    """Complete what results state of their model by what all the others that state it agree on.

    Predictions that were made elsewhere, older records and what was fitted do not state everything.
    """
    for identity in {item.identity for item in items}:
        same = [item for item in items if item.identity == identity]
        for name in (field.name for field in fields(Stated)):
            stated = {getattr(item.stated, name) for item in same} - {None}
            if len(stated) == 1:
                for item in same:
                    item.stated = replace(item.stated, **{name: next(iter(stated))})


_WORDS: tuple[Callable[[Learnt], str], ...] = (
    lambda learnt: learnt.words[0],
    lambda learnt: learnt.words[1],
    lambda learnt: ", ".join(learnt.words),
)
"""What tells fits apart in words, in the order in which it is tried: where it was learnt, the seed, both."""


def _first_of_each(learnt: Sequence[Learnt | None]) -> list[Learnt | None]:
    """Replace what is the same fit, by its weights or as a probe by its keys, by the first of its kind."""
    probes: dict[tuple[str, ...], Learnt] = {}
    first: dict[Learnt, Learnt] = {}
    found: list[Learnt | None] = []
    for one in learnt:
        same = probes.setdefault(one.keys, one) if one and one.keys else one
        found.append(same and first.setdefault(same, same))
    return found


def _fit_marks(items: Sequence[Item]) -> tuple[list[str], list[str]]:
    """Give each result of one model a mark of its fit, empty where none is needed.

    Returns
    -------
    The marks, and the protocols under which there are several fits.
    """
    fits = _first_of_each([item.learnt for item in items])
    under: dict[tuple[str, str], dict[Learnt, None]] = {}
    for item, fit in zip(items, fits, strict=True):
        if fit is not None:
            task = item.cohort if is_task(item.cohort) else ""  # each has a fit of its own
            under.setdefault((item.protocol, task), {})[fit] = None
    several = {asked: list(found) for asked, found in under.items() if len(found) > 1}
    protocols = list(dict.fromkeys(protocol for protocol, _ in several))
    if not several:
        return [""] * len(items), []
    for words in _WORDS:
        if all(len({words(fit) for fit in found}) == len(found) for found in several.values()):
            return [words(fit) if fit and fit.seeds else "" for fit in fits], protocols
    short = shortened(fit.hash for found in several.values() for fit in found)
    return [short.get(fit.hash, "") if fit else "" for fit in fits], protocols
