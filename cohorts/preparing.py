"""Preparing a release: its store is written, brought up to date, or left as it is.

All that decides whether a store is up to date stands here and in `cohorts.store_staleness`.
"""

from __future__ import annotations

import functools
import hashlib
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pandas as pd

from cohorts.catalogue import introduce
from cohorts.cohort import Cohort
from cohorts.errors import LeadboardError
from cohorts.interrupts import interruptible
from cohorts.locks import ANOTHER_CACHE, alone
from cohorts.ontology.labelling import hash_of_labelling
from cohorts.ontology.ontology import Ontology, load_ontology
from cohorts.store import Store
from cohorts.store_file import DamagedStoreError, cannot_write, open_file
from cohorts.store_staleness import Stamp, stamp_of
from cohorts.store_writing import Progress, write_labels, write_statements, write_store


def prepare(
    cohort: Cohort,
    cache: Path,
    *,
    progress: Progress | None = None,
    say: Callable[[str], None] = lambda sentence: None,
) -> Store:
    """Turn a release into its store, or open the one that is there if it is up to date.

    A store is up to date while names, sizes and modification times of the release's files, and this
    package's reading code, are those it was written from. If only the ontology has changed, the
    labels alone are made again. A store whose tables do not fit their sums is made again too, and that is
    said; so is one in which damage is found later, while it is read. The file appears complete or not at
    all, and two processes that prepare the same cohort take turns.

    Parameters
    ----------
    cohort
        The release on disk.
    cache
        Stores lie in its folder ``stores``.
    progress
        Called with (records done, records in all) while signals are read.
    say
        Called with one sentence if a damaged store is made again.

    Raises
    ------
    LeadboardError
        If the store cannot be written.
    """
    path = _store_path(cohort, cache)
    introduce(cohort)
    with interruptible() as check:
        stamp = stamp_of(cohort)
        store, _ = _up_to_date(path, stamp)
        if store is None or _other_labels(store, cohort, load_ontology()):
            _write(path, cohort, stamp, progress, say, check)
            store = Store(path)
    store.file.make_again = functools.partial(_make_again, path, cohort.anew(), say)
    return store


def _make_again(path: Path, cohort: Cohort, say: Callable[[str], None]) -> None:
    """Write a store in which damage was found while it was read."""
    with interruptible() as check:
        _write(path, cohort.anew(), stamp_of(cohort), None, say, check, signals=True)


def _write(
    path: Path,
    cohort: Cohort,
    stamp: Stamp,
    progress: Progress | None,
    say: Callable[[str], None],
    check: Callable[[], None],
    *,
    signals: bool = False,
) -> None:
    """Write a store, or the part of it that is not up to date, unless somebody else just did.

    Parameters
    ----------
    signals
        Whether those of the store that is there are in doubt, and looked at before it is kept.
    """
    partial = path.with_suffix(".partial")
    with cannot_write(path), alone(path.with_suffix(".lock"), f"preparing {cohort.card.name}", ANOTHER_CACHE):
        partial.unlink(missing_ok=True)  # of a process that was killed
        ontology = load_ontology()
        store, damage = _up_to_date(path, stamp, signals=signals)
        if damage:
            say(f"The store of {cohort.card.name}, {path}, was damaged ({damage}) and is made again.")
        try:
            if store is None:
                write_store(partial, cohort, ontology, stamp, progress, check)
                partial.replace(path)
            elif _other_labels(store, cohort, ontology):
                _relabel(store, partial, ontology, cohort, stamp)
                partial.replace(path)
        finally:
            partial.unlink(missing_ok=True)


def find_store(cohort: Cohort, cache: Path) -> Store | None:
    """Give the store of a release as `prepare` left it, or None; nothing is read from the release."""
    try:
        return Store(_store_path(cohort, cache))
    except LeadboardError:
        return None


def why_outdated(cohort: Cohort, cache: Path) -> str:
    """Say why `prepare` would make a release's store again; empty where it would not, or there is none."""
    path = _store_path(cohort, cache)
    if not path.exists():
        return ""
    introduce(cohort)
    try:
        with Store(path) as store:
            if store.stamp != stamp_of(cohort).digest:
                return "the release, or the code that reads it, has changed since"
            store.check()
            other = _other_labels(store, cohort, load_ontology())
    except DamagedStoreError:
        return "damaged"
    except LeadboardError:
        return "of another version"
    return "its labels are of another ontology" if other else ""


def _store_path(cohort: Cohort, cache: Path) -> Path:
    place = hashlib.sha256(os.fsencode(cohort.root.resolve())).hexdigest()[:8]
    name = "-".join(part for part in (cohort.card.id, cohort.variant, place) if part)
    return Path(cache) / "stores" / f"{name}.h5"


def _other_labels(store: Store, cohort: Cohort, ontology: Ontology) -> bool:
    """Whether a store whose signals are up to date has labels that are not."""
    labelling = hash_of_labelling(ontology.label_hashes(cohort.card.id, cohort.card.vocabulary))
    if store.ontology_hash != labelling:
        return True
    return cohort.labels_apart and not store.index["statements"].equals(
        _index_of(store, cohort)["statements"]
    )


def _index_of(store: Store, cohort: Cohort) -> pd.DataFrame:
    """What a cohort says now of the records of a store."""
    index = cohort.index()
    return index[index["record_id"].isin(store.index["record_id"])].reset_index(drop=True)


def _up_to_date(path: Path, stamp: Stamp, *, signals: bool = False) -> tuple[Store | None, str]:
    """Give the store at this path, or None if it cannot be used; and what is damaged, if that is why."""
    try:
        store = Store(path)
        if store.stamp != stamp.digest:
            return None, ""
        store.check(signals=signals)
    except DamagedStoreError as error:
        return None, error.damage
    except LeadboardError:  # none there, or one of another version
        return None, ""
    return store, ""


def _relabel(store: Store, partial: Path, ontology: Ontology, cohort: Cohort, stamp: Stamp) -> None:
    """Copy a store with labels made again from its statements, or from new ones if these lie apart."""
    shutil.copyfile(store.path, partial)
    index = _index_of(store, cohort) if cohort.labels_apart else store.index
    with open_file(partial, "r+") as file:
        if cohort.labels_apart:
            write_statements(file, cohort, index, stamp)
        write_labels(file, index["statements"].tolist(), ontology, store.card.id, store.card.vocabulary)
