"""Whether a cohort that no document tells of is new to the models: its recordings are looked for elsewhere.

A release of `cohorts.sources` states which others share its recordings. What a hospital's own cohort, or a
stranger's, shares with them is found by the signals alone, before its first cell is ranked.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

from pydantic import TypeAdapter, ValidationError

from benchmark.config import Places
from benchmark.files import sweep, write_atomically
from benchmark.models.contamination import all_training_of
from benchmark.models.model_card import ModelCard
from benchmark.progress import Reporter
from benchmark.records.overlap import ComparedCohort, Overlap
from benchmark.records.provenance import package_versions
from benchmark.records.strict_json import read_json
from benchmark.run.cohorts import is_here, prepared
from benchmark.run.fingerprints import OVERLAP_ROOMS, read_fingerprints, take_fingerprints
from cohorts.catalogue import cohort_cards, facts_known, open_cohort
from cohorts.counts import plural
from cohorts.errors import LeadboardError
from cohorts.hashing import code_hash, hash_of_json
from cohorts.labelled import Labelled
from cohorts.locks import ANOTHER_CACHE, alone
from cohorts.overlap.fingerprint import SEED
from cohorts.overlap.fingerprint_file import CohortFingerprints
from cohorts.overlap.fingerprint_search import confirmed, find_pairs
from cohorts.preparing import find_store
from cohorts.store import Store, Stores


def find_overlaps(
    stores: Iterable[Store], trained_on: Collection[str], give: Stores, places: Places, reporter: Reporter
) -> dict[str, Overlap]:
    """Look for the recordings of each cohort of which no document tells in the other cohorts.

    Those are the cohorts of the run, those that a model was trained on, those that were prepared on this
    machine before, and those in files of fingerprints. The other way round, a release is looked for in the
    cohorts of which no document tells and that a model was trained on.

    Parameters
    ----------
    trained_on
        Cohorts that the models of the run have seen.

    Returns
    -------
    By cohort; those that need no comparison are left out.

    Raises
    ------
    LeadboardError
        If a file of fingerprints cannot be read, or the cache cannot be written to.
    """
    taking_part = {store.card.id: store for store in stores}
    elsewhere = read_fingerprints(places.fingerprints)
    found = {}
    for name, store in taking_part.items():
        if name not in cohort_cards():
            continue  # a published task is its cohort
        strangers = [other for other in trained_on if other != name and not facts_known(other)]
        if facts_known(name):
            others = list(_opened(strangers, give, places))
            files = [one for one in elsewhere if one.facts.cohort in strangers]
        else:
            wanted = {*(taking_part.keys() & cohort_cards().keys()), *trained_on} - {name}
            opened = {other.card.id: other for other in _opened(sorted(wanted), give, places)}
            others = [*opened.values(), *_prepared({name, *opened}, places)]
            files = [one for one in elsewhere if one.facts.fingerprint != store.fingerprint]
        if others or files or not facts_known(name):
            found[name] = _overlap(store, others, files, places, reporter)
    return found


def find_overlap_of(store: Labelled, card: ModelCard, places: Places, reporter: Reporter) -> Overlap | None:
    """Look for the recordings of one cohort, whose predictions were made elsewhere, in the other cohorts.

    Returns
    -------
    None if it needs no comparison, or there is no signal to compare; the latter is said.
    """
    name, seen = store.card.id, all_training_of(card)
    if isinstance(store, Store):
        found = find_overlaps([store], seen, prepared(places, reporter), places, reporter)
        for line in overlap_lines(found, seen):
            reporter.say(line.strip())
        return found.get(name)
    if not facts_known(name):
        reporter.say(f"{name} was compared with no other cohort: no signal of it was looked at.")
    return None


def _opened(cohorts: Iterable[str], give: Stores, places: Places) -> Iterator[Store]:
    """Give those of some cohorts that are here; one that cannot be prepared is as good as not here."""
    for cohort in cohorts:
        try:
            store = give(cohort) if cohort in cohort_cards() and is_here(cohort, places) else None
        except LeadboardError:
            continue
        if store is not None and len(store):
            yield store


def _prepared(besides: Collection[str], places: Places) -> Iterator[Store]:
    """Give the other cohorts of this machine whose stores were made before; nothing is prepared for this."""
    for cohort in cohort_cards().keys() - besides:
        release = open_cohort(cohort, places.data, places.folders)
        store = None if release is None else find_store(release, places.cache)
        if store is not None and len(store):
            yield store


def _overlap(
    store: Store,
    others: Sequence[Store],
    files: Sequence[CohortFingerprints],
    places: Places,
    reporter: Reporter,
) -> Overlap:
    own = take_fingerprints(store, places.cache, reporter)
    compared = [_by_fingerprints(own, other) for other in files]
    for other in others:
        try:
            compared.append(_by_signals(store, own, other, places, reporter))
        except LeadboardError as error:
            reporter.say(f"{store.card.id} was not compared with {other.card.id}: {error}")
    return Overlap(
        records=own.fingerprints.usable,
        not_compared=len(own.fingerprints) - own.fingerprints.usable,
        cohorts=tuple(sorted(compared, key=lambda one: (one.cohort, one.by, one.fingerprint))),
        code=code_hash(*OVERLAP_ROOMS)[:16],
        leadboard=package_versions()["leadboard"],
        seed=SEED,
    )


def _by_fingerprints(own: CohortFingerprints, other: CohortFingerprints) -> ComparedCohort:
    pairs = find_pairs(own.fingerprints, other.fingerprints)
    return _compared(other, len({pair.a for pair in pairs if pair.sure}), "fingerprints")


def _by_signals(
    store: Store, own: CohortFingerprints, other: Store, places: Places, reporter: Reporter
) -> ComparedCohort:
    """Look for the recordings of a cohort in another; what was found once is kept in the cache."""
    theirs = take_fingerprints(other, places.cache, reporter)
    key = hash_of_json([store.fingerprint, other.fingerprint, code_hash(*OVERLAP_ROOMS)])
    path = places.cache / "overlap" / f"{store.card.id}-in-{other.card.id}-{key[:16]}.json"
    with alone(path.with_suffix(".lock"), f"comparing {store.card.id} with {other.card.id}", ANOTHER_CACHE):
        try:
            shared = TypeAdapter(dict[str, int]).validate_python(read_json(path))["shared"]
        except (LeadboardError, ValidationError, KeyError):
            sweep((path.parent,))
            candidates = find_pairs(own.fingerprints, theirs.fingerprints)
            shared = len({pair.a for pair in confirmed(candidates, store, other)})
            write_atomically(path, f'{{"shared": {shared}}}\n')
            reporter.say(
                f"{store.card.id}: {shared:,} of {own.fingerprints.usable:,} records are also in "
                f"{other.card.id} ({plural(len(other), 'record')} compared by their signals)."
            )
    return _compared(theirs, shared, "signals")


def _compared(other: CohortFingerprints, shared: int, by: str) -> ComparedCohort:
    facts = other.facts
    return ComparedCohort(
        cohort=facts.cohort,
        name=facts.name,
        version=facts.version,
        fingerprint=facts.fingerprint,
        records=other.fingerprints.usable,
        shared=shared,
        by="signals" if by == "signals" else "fingerprints",
    )


def overlap_lines(overlaps: Mapping[str, Overlap], trained_on: Collection[str]) -> Iterator[str]:
    """Say in which other cohorts records were found, what follows, and what nobody could look at."""
    for name, overlap in overlaps.items():
        for one in overlap.shared:
            there = one.cohort if one.by == "signals" else "FILE"
            yield (
                f"  warning: {one.shared:,} of {overlap.records:,} records of {name} shared with "
                f"{one.cohort} (found by {one.by}): {name} is internal to every model that was trained on "
                f"it; to evaluate such a model, take these records out of {name} "
                f"('leadboard overlap {name} {there}' names them)."
            )
        compared = {one.cohort for one in overlap.cohorts}
        unseen = sorted(set(trained_on) - compared - overlap.also_in - {name})
        if unseen and not facts_known(name):
            yield (
                f"  warning: {name} could not be compared with {', '.join(unseen)}, which models were "
                "trained on: not on this machine; give fingerprints of them with --fingerprints."
            )
