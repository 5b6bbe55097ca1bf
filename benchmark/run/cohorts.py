"""The cohorts of a run, by name or by default."""

from __future__ import annotations

import functools
from collections.abc import Sequence

from benchmark.config import Places
from benchmark.progress import Reporter
from benchmark.records.run_file import AbsentCohort
from cohorts.catalogue import (
    all_cohorts,
    cohort_cards,
    find_cohort,
    introduce,
    measured_cards,
    open_cohort,
    sharing,
)
from cohorts.cohort import Cohort
from cohorts.counts import plural
from cohorts.errors import LeadboardError, UsageError
from cohorts.labelled import Labelled, LabelledCohorts, LabelledIndex
from cohorts.ontology.labelling import hash_of_labelling
from cohorts.ontology.ontology import load_ontology
from cohorts.preparing import find_store, prepare, why_outdated
from cohorts.store import Store, Stores
from cohorts.task_store import open_task
from cohorts.tasks import all_tasks, cohort_of, find_task


def is_here(cohort: str, places: Places) -> bool:
    """Whether a release, that of a published task too, or a part of it is on this machine."""
    return open_cohort(cohort_of(cohort), places.data, places.folders) is not None


def choose_cohorts(asked: Sequence[str], places: Places) -> tuple[list[str], list[AbsentCohort]]:
    """Cohorts of a run, and those that take no part, with the reason.

    Raises
    ------
    UsageError
        If a name is unknown, a cohort that was asked for is not here, or none is.
    """
    wanted = list(dict.fromkeys(asked)) or list(all_cohorts())
    for name in wanted:
        find_cohort(name)
    here = [name for name in wanted if is_here(name, places)]
    missing = [name for name in wanted if name not in here]
    if asked and missing:
        raise _not_here(missing[0], places)
    absent = [AbsentCohort(cohort=name, reason="not found on this machine") for name in missing]
    cards = cohort_cards()
    taking_part: list[str] = []
    for name in sorted(here, key=lambda name: cards[name].copy_of is not None):  # originals before copies
        twin = next((other for other in taking_part if other in sharing(name)), None)
        if twin is None:
            taking_part.append(name)
        elif asked:
            raise UsageError(f"{name} and {twin} hold the same recordings; evaluate one of the two.")
        else:
            absent.append(AbsentCohort(cohort=name, reason=f"holds recordings of {twin}, which takes part"))
    here = [name for name in here if name in taking_part]
    if not here:
        place = f"in {places.data}" if places.data else "because no data folder was named"
        raise UsageError(f"No cohort was found {place}; give the folder that holds the releases with --data.")
    return here, absent


def choose_task(name: str, places: Places) -> list[str]:
    """Give the task of a run, if its cohort is here.

    Raises
    ------
    UsageError
        If there is no such task, or its cohort is not on this machine.
    """
    cohort = find_task(name).cohort.id
    if not is_here(cohort, places):
        raise _not_here(cohort, places)
    return [name]


def _not_here(cohort: str, places: Places) -> UsageError:
    """Say where a release was looked for."""
    folder = places.folders.get(cohort) or (places.data and places.data / find_cohort(cohort).card.folder)
    if folder is None:
        return UsageError(f"{cohort} was not found; give the folder of the releases with --data.")
    return UsageError(
        f"{cohort} was not found in {folder}; put the release there ('leadboard download {cohort}' fetches "
        "it, or says who has it), or name its folder in leadboard.toml."
    )


def open_release(cohort: str, places: Places) -> Cohort:
    """Open the release of a cohort.

    Raises
    ------
    UsageError
        If there is no such cohort, or it is not on this machine.
    """
    release = open_cohort(cohort, places.data, places.folders)
    if release is None:
        raise _not_here(cohort, places)
    return release


def prepare_cohort(cohort: str, places: Places, reporter: Reporter) -> Store:
    """Prepare a cohort, or open what an earlier call prepared; says what was found.

    A published task is its cohort with the labels and folds of the task.

    Raises
    ------
    LeadboardError
        If the release cannot be read or the store cannot be written.
    """
    if cohort in all_tasks():
        return open_task(cohort, prepare_cohort(cohort_of(cohort), places, reporter), places.data)
    release = open_release(cohort, places)
    with reporter.step(f"Preparing {cohort}", quiet_without_work=True) as progress:
        return prepare(release, places.cache, progress=progress, say=reporter.say)


def size_in_words(store: Store) -> str:
    """Say how many records are here, of how many, and how many cannot be used."""
    here, card = len(store) + len(store.quarantine), store.card
    if card.simulated:
        size = plural(here, "SIMULATED record")
    else:
        size = f"{here:,} of {card.records:,} records" if card.records is not None else plural(here, "record")
    return size + (f", {len(store.quarantine):,} quarantined" if len(store.quarantine) else "")


def prepared(places: Places, reporter: Reporter) -> Stores:
    """Give cohorts of this machine, each prepared once."""

    @functools.cache
    def store(cohort: str) -> Store | None:
        return prepare_cohort(cohort, places, reporter) if is_here(cohort, places) else None

    return store


def is_prepared(cohort: str, places: Places) -> bool:
    """Whether a cohort is prepared already, from the release as it is now."""
    release = open_release(cohort_of(cohort), places)
    return find_store(release, places.cache) is not None and not why_outdated(release, places.cache)


def prepared_before(places: Places) -> Stores:
    """Give cohorts that an earlier call prepared, with today's labels; nothing is prepared or made again."""

    def store(cohort: str) -> Store | None:
        if cohort not in measured_cards():
            return None
        release = open_cohort(cohort_of(cohort), places.data, places.folders)
        found = None if release is None else find_store(release, places.cache)
        if release is None or found is None:
            return None
        introduce(release)
        card = release.card
        labelling = hash_of_labelling(load_ontology().label_hashes(card.id, card.vocabulary))
        if found.ontology_hash != labelling:
            return None
        return open_task(cohort, found, places.data) if cohort in all_tasks() else found

    return functools.cache(store)


def labelled(places: Places, reporter: Reporter) -> LabelledCohorts:
    """Give cohorts of this machine for what needs no signals, each prepared once."""
    return _or_labels_alone(prepared(places, reporter), places)


def labelled_before(places: Places, give: Stores) -> LabelledCohorts:
    """Give the cohorts of `prepared_before` for what needs no signals; nothing is prepared or made again."""
    return _or_labels_alone(give, places)


def _or_labels_alone(give: Stores, places: Places) -> LabelledCohorts:
    @functools.cache
    def cohort(name: str, /, *, signals: bool = True) -> Labelled | None:
        if signals or not is_here(name, places):
            return give(name)
        return labelled_index(name, places)

    return cohort


def labelled_index(cohort: str, places: Places) -> LabelledIndex:
    """Read index and labels of a cohort from its annotation files; no signal is needed.

    Raises
    ------
    LeadboardError
        If they cannot be read.
    """
    return LabelledIndex(open_release(cohort, places))


def cohort_to_score(cohort: str, places: Places, reporter: Reporter, *, signals: bool = True) -> Labelled:
    """Give a cohort whose predictions are made already: without a usable signal, its labels alone.

    Parameters
    ----------
    signals
        Whether signals are looked at, and records without a usable one left out.

    Raises
    ------
    LeadboardError
        If the release cannot be read or the store cannot be written.
    """
    find_cohort(cohort)  # a published task is not scored from a file
    store = prepare_cohort(cohort, places, reporter) if signals else None
    if store is not None and (len(store) or not len(store.quarantine)):
        return store
    if store is not None:
        reporter.say(f"{cohort}: {_why_empty(store)}; scoring with the annotation files alone.")
    return labelled_index(cohort, places)


def prepare_all(
    cohorts: Sequence[str], give: Stores, reporter: Reporter
) -> tuple[dict[str, Store], list[AbsentCohort]]:
    """Prepare the cohorts of a run; one that cannot be, or is empty, is left out with the reason.

    Raises
    ------
    UsageError
        If none is left.
    """
    stores: dict[str, Store] = {}
    absent: list[AbsentCohort] = []
    for name in cohorts:
        try:
            store = give(name)
            if store is None or not len(store):
                raise LeadboardError(_why_empty(store))
            stores[name] = store
        except LeadboardError as error:
            reporter.say(f"Left out: {name}: {error}")
            absent.append(AbsentCohort(cohort=name, reason=str(error)))
    if not stores:
        raise UsageError("No cohort could be prepared; the reasons are above.")
    return stores, absent


def _why_empty(store: Store | None) -> str:
    """Say why a cohort that is here has no record to evaluate."""
    if store is None:
        return "not found on this machine"
    reasons = store.quarantine["reason"].value_counts()
    most = f" ({str(reasons.index[0]).rstrip('.')})" if len(reasons) else ""
    return f"none of its {plural(len(store.quarantine), 'record')} can be used{most}"
