"""Which cohorts there are, by id. Every module of `cohorts.sources` is looked through."""

from __future__ import annotations

import functools
import importlib
import pkgutil
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

from cohorts import sources
from cohorts.cohort import Cohort, CohortCard
from cohorts.errors import LeadboardError, UnknownNameError, UsageError
from cohorts.tasks import all_tasks, cohort_of


@functools.cache
def all_cohorts() -> Mapping[str, type[Cohort]]:
    """Give every cohort's class by id, sorted; the mapping is read-only."""
    found: dict[str, type[Cohort]] = {}
    for module_info in pkgutil.iter_modules(sources.__path__, f"{sources.__name__}."):
        module = importlib.import_module(module_info.name)
        for value in vars(module).values():
            if isinstance(value, type) and issubclass(value, Cohort) and value.__module__ == module.__name__:
                if value.card.id in found:
                    raise LeadboardError(
                        f"Two cohorts are called '{value.card.id}'; rename one in {module.__name__}."
                    )
                found[value.card.id] = value
    return MappingProxyType(dict(sorted(found.items())))


def find_cohort(cohort_id: str) -> type[Cohort]:
    """Look a cohort up by its id.

    Raises
    ------
    UnknownNameError
        With the nearest id that exists.
    """
    cohorts = all_cohorts()
    if cohort_id not in cohorts:
        raise UnknownNameError("cohort", cohort_id, cohorts)
    return cohorts[cohort_id]


def open_cohort(
    cohort_id: str, data_root: Path | None, overrides: Mapping[str, Path] = MappingProxyType({})
) -> Cohort | None:
    """Open a cohort where it lies on this machine, or give None if it is not there.

    Parameters
    ----------
    data_root
        The folder with the releases, each in its own layout; None if there is only ``overrides``.
    overrides
        Folders of releases that lie elsewhere, by cohort id.

    Raises
    ------
    UnknownNameError
        If there is no such cohort.
    UsageError
        If an override names a folder that does not hold the release.
    """
    cohort = find_cohort(cohort_id)
    root = overrides.get(cohort_id)
    if root is not None and not _holds(cohort, root):
        raise UsageError(
            f"{root} does not hold {cohort.card.name}; correct the path given for '{cohort_id}'."
        )
    if root is None and data_root is not None:
        root = Path(data_root) / cohort.card.folder
    return cohort(root) if root is not None and _holds(cohort, root) else None


def _holds(cohort: type[Cohort], root: Path) -> bool:
    """Whether a folder holds a release; one that may not be looked into holds none for this user."""
    try:
        return cohort.found(root)
    except OSError:
        return False


def cohort_cards() -> dict[str, CohortCard]:
    """Cards of all cohorts, by id."""
    return {name: cohort.card for name, cohort in all_cohorts().items()}


def measured_cards() -> dict[str, CohortCard]:
    """Cards of all that a result can be of, by id: cohorts and published tasks."""
    return cohort_cards() | {name: task.card for name, task in all_tasks().items()}


def sharing(cohort: str) -> set[str]:
    """Cohorts that hold recordings of ``cohort``, itself included; stated on either card.

    A published task shares recordings with what its cohort shares them with.

    Not transitive: two cohorts that each share recordings with a third need share none themselves.
    """
    cards = cohort_cards()
    own = cards.get(cohort)
    if own is None and cohort in all_tasks():
        return {cohort} | sharing(cohort_of(cohort))
    return {cohort} | {name for name, card in cards.items() if own is not None and share(own, card)}


def share(one: CohortCard, other: CohortCard) -> bool:
    """Whether one of the two cards states that the cohorts hold the same recordings."""
    return other.id in (*one.overlaps, one.copy_of) or one.id in (*other.overlaps, other.copy_of)


def facts_known(cohort: str) -> bool:
    """Whether a cohort's card states from the release's own documents which others share its recordings.

    It does for the releases of `cohorts.sources` and the published tasks on them. A hospital's own cohort, or
    one that a stranger has registered, may be anything: what it shares only its signals tell.
    """
    known = all_cohorts().get(cohort_of(cohort) if cohort in all_tasks() else cohort)
    return known is not None and known.__module__.startswith(f"{sources.__name__}.")
