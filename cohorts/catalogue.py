"""Which cohorts there are, by id.

Those of `cohorts.sources`, those that installed packages offer through the entry-point group
``leadboard.cohorts``, and those that are registered while the programme runs.
"""

from __future__ import annotations

import functools
import importlib
import inspect
import pkgutil
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from types import MappingProxyType
from typing import Any

from cohorts import sources
from cohorts.cohort import Cohort, CohortCard
from cohorts.errors import LeadboardError, UnknownNameError, UsageError
from cohorts.ontology.brought import Brought, announced
from cohorts.ontology.ontology import load_ontology
from cohorts.tasks import all_tasks, cohort_of

GROUP = "leadboard.cohorts"
"""Entry points of installed packages: the id of a cohort -> its class."""


@functools.cache
def all_cohorts() -> Mapping[str, type[Cohort]]:
    """Give every cohort's class by id, sorted; the mapping is read-only."""
    found = {**_published(), **_offered().cohorts, **_registered.cohorts}
    return MappingProxyType(dict(sorted(found.items())))


def broken_cohorts() -> Mapping[str, str]:
    """Cohorts that installed packages offer and that cannot be used: name of the entry point -> why."""
    return MappingProxyType(_offered().broken)


def register(cohort: type[Cohort], root: Path | None = None) -> None:
    """Add a cohort to the catalogue of this process, such as one that is described by a file.

    One that was registered before under the same id is replaced.

    Parameters
    ----------
    root
        Where it lies, if that is not the folder of its card below the data root.

    Raises
    ------
    UsageError
        If a published cohort, a task or a cohort of an installed package has this id.
    LeadboardError
        If what it brings contradicts itself.
    """
    name = cohort.card.id
    others = {**_published(), **_offered().cohorts}
    if name in others or name in all_tasks():
        raise UsageError(_taken(name, others))
    introduce(cohort)
    _registered.cohorts[name] = cohort
    _registered.roots.pop(name, None)
    if root is not None:
        _registered.roots[name] = Path(root)
    all_cohorts.cache_clear()


def forget(cohort_id: str) -> None:
    """Take a cohort that was registered out of the catalogue again."""
    _registered.cohorts.pop(cohort_id, None)
    _registered.roots.pop(cohort_id, None)
    all_cohorts.cache_clear()


def introduce(cohort: Cohort | type[Cohort]) -> None:
    """Make sure that the ontology can label the records of a cohort, in the catalogue or not.

    Raises
    ------
    LeadboardError
        If what it brings contradicts itself.
    """
    announced[cohort.card.id] = Brought.of(cohort)
    load_ontology().labels(cohort.card.id, cohort.card.vocabulary, [])


@dataclass(slots=True)
class _Registered:
    """Cohorts of this process, and where those lie that have a place of their own."""

    cohorts: dict[str, type[Cohort]]
    roots: dict[str, Path]


_registered = _Registered({}, {})


@dataclass(frozen=True, slots=True)
class _Offered:
    """What installed packages offer; one that turns out to be broken later changes its place."""

    cohorts: dict[str, type[Cohort]]
    broken: dict[str, str]


@functools.cache
def _published() -> Mapping[str, type[Cohort]]:
    """Cohorts of the modules of `cohorts.sources`."""
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
                announced[value.card.id] = Brought.of(value)
    return MappingProxyType(found)


@functools.cache
def _offered() -> _Offered:
    """Import the cohorts of installed packages; one that cannot be used stops nobody."""
    found: dict[str, type[Cohort]] = {}
    broken: dict[str, str] = {}
    for entry in sorted(entry_points(group=GROUP)):
        try:
            others = {**_published(), **found}
            if entry.name in others or entry.name in all_tasks():
                raise UsageError(_taken(entry.name, others))
            cohort = _loaded(entry)
            introduce(cohort)
        except LeadboardError as error:
            broken.setdefault(entry.name, str(error))
        else:
            found[entry.name] = cohort
    return _Offered(found, broken)


def _loaded(entry: EntryPoint) -> type[Cohort]:
    """Import a class that a package offers; whatever it raises becomes one sentence."""
    try:
        cohort = entry.load()
    except (Exception, SystemExit) as error:
        words = " ".join(str(error).split())[:200] or "no message"
        raise LeadboardError(
            f"{entry.value} cannot be imported ({type(error).__name__}: {words}); correct the package, or "
            f"uninstall it."
        ) from error
    why = _why_no_cohort(cohort, entry.name)
    if why:
        raise LeadboardError(f"{entry.value} {why}.")
    kind: type[Cohort] = cohort
    return kind


def _why_no_cohort(cohort: Any, name: str) -> str:
    """Say why an object is not the class of a cohort of this id; empty if it is."""
    if not (isinstance(cohort, type) and issubclass(cohort, Cohort)):
        return "is no class that inherits from cohorts.cohort.Cohort; write one"
    card = getattr(cohort, "card", None)
    if not isinstance(card, CohortCard):
        return "has no card; give it one, a CohortCard"
    if inspect.isabstract(cohort):
        return f"has no {', '.join(sorted(cohort.__abstractmethods__))}; write it"
    if card.id != name:
        return f"has a card of '{card.id}', but its entry point is called '{name}'; give both the same name"
    return ""


def _taken(name: str, cohorts: Mapping[str, type[Cohort]]) -> str:
    what = f"a cohort '{name}' already, {cohorts[name].card.name}" if name in cohorts else f"a task '{name}'"
    return f"There is {what}; give this cohort another id."


def find_cohort(cohort_id: str) -> type[Cohort]:
    """Look a cohort up by its id.

    Raises
    ------
    UnknownNameError
        With the nearest id that exists.
    UsageError
        If an installed package offers it, and it cannot be used.
    """
    cohorts = all_cohorts()
    if cohort_id in cohorts:
        return cohorts[cohort_id]
    if cohort_id in broken_cohorts():
        raise UsageError(f"The cohort '{cohort_id}' cannot be used: {broken_cohorts()[cohort_id]}")
    raise UnknownNameError("cohort", cohort_id, cohorts)


def open_cohort(
    cohort_id: str, data_root: Path | None, overrides: Mapping[str, Path] = MappingProxyType({})
) -> Cohort | None:
    """Open a cohort where it lies on this machine, or give None if it is not there.

    Parameters
    ----------
    data_root
        The folder with the releases, each in its own layout; None if there is only ``overrides``.
    overrides
        Folders of releases that lie elsewhere, by cohort id; they outweigh the place that was registered.

    Raises
    ------
    UnknownNameError
        If there is no such cohort.
    UsageError
        If an override names a folder that does not hold the release.
    """
    cohort = find_cohort(cohort_id)
    root = overrides.get(cohort_id, _registered.roots.get(cohort_id))
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
    except Exception as error:
        name, offered = cohort.card.id, _offered()
        if offered.cohorts.pop(name, None) is None:
            raise
        offered.broken[name] = f"Its class raised {type(error).__name__} in 'found'; correct it."
        all_cohorts.cache_clear()
        return False


def cohort_cards() -> dict[str, CohortCard]:
    """Cards of all cohorts, by id."""
    return {name: cohort.card for name, cohort in all_cohorts().items()}


def measured_cards() -> dict[str, CohortCard]:
    """Cards of all that a result can be of, by id: cohorts and published tasks."""
    return cohort_cards() | {name: task.card for name, task in all_tasks().items()}


def is_private(cohort: str) -> bool:
    """Whether nothing about a single record of a cohort may leave this machine; so of an unknown cohort."""
    card = measured_cards().get(cohort)
    return card is None or card.access == "private"


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
