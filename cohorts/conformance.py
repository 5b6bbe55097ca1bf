"""Whether a cohort's class keeps to what everything else relies on, one sentence for each thing it does not.

For authors of a cohort, and for the test of it: ``assert problems(MyRelease(folder)) == []``.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from cohorts.catalogue import cohort_cards, introduce
from cohorts.cohort import Cohort
from cohorts.counts import plural
from cohorts.download.publishers import publication_by
from cohorts.errors import LeadboardError, RecordError, some
from cohorts.ontology.ontology import load_ontology
from cohorts.recording import standard_leads

LOOKED_AT = 20
"""Signals that are read, evenly spread over the index."""

LEAST_SIZE = 1_000_000
"""Bytes that every release of ECGs exceeds."""


def problems(cohort: Cohort, *, signals: bool = True) -> list[str]:
    """Check a cohort as it lies on this machine: its card, its index, its codes and some of its signals.

    Parameters
    ----------
    signals
        Whether to read signals.

    Returns
    -------
    list of str
        Empty where everything is as it should be.
    """
    found = [*_of_card(cohort)]
    try:
        introduce(cohort)
        index = cohort.index()
    except LeadboardError as error:
        return [*found, str(error)]
    if not len(index):
        why = f" The first reason: {cohort.unreadable['reason'][0]}" if len(cohort.unreadable) else ""
        return [*found, f"No record could be indexed in {cohort.root}; correct the folder or the index.{why}"]
    return [*found, *_of_index(cohort), *_of_codes(cohort), *(_of_signals(cohort) if signals else ())]


def _of_card(cohort: Cohort) -> Iterator[str]:
    card = cohort.card
    private = card.access == "private"
    if not (private or card.url.startswith("https://")):
        yield f"The card's url is '{card.url}'; give the publisher's page, with https://."
    unknown = {*card.overlaps, *filter(None, [card.copy_of])} - set(cohort_cards())
    if unknown:
        yield f"The card shares recordings with {some(sorted(unknown))}, no cohorts; correct the ids."
    for name in ("name", "licence", *(() if private else ("citation", "country", "folder"))):
        if not getattr(card, name).strip():
            yield f"The card has no {name}; say it."
    if card.folds is not None:
        parts = [*card.folds.training, *card.folds.validation, *card.folds.test]
        if len(set(parts)) < len(parts):
            yield "The card's folds have one fold in two parts, so that the parts mix; correct it."
        if not card.folds.test:
            yield "The card's folds have no test fold; name one, or leave folds out."
    yield from _of_release(cohort)


def _of_release(cohort: Cohort) -> Iterator[str]:
    """Check how it is to be fetched, if it can be."""
    release, card = cohort.release, cohort.card
    if release is None:
        return
    if publication_by(type(cohort)) is None:
        yield (
            f"It has a release, but {card.url} is no page of PhysioNet, Zenodo or figshare that a download "
            f"understands; correct the url, or leave the release out."
        )
    if not card.folder.endswith(release.subfolder):
        yield (
            f"The card's folder {card.folder} does not end with the release's subfolder {release.subfolder}; "
            f"correct one of them."
        )
    if (card.access == "credentialed") != bool(release.agreement):
        yield (
            "A release has an agreement to sign exactly where the card's access is 'credentialed'; correct "
            "one of the two."
        )
    if release.size <= LEAST_SIZE:
        yield f"The release's size is {release.size:,} bytes, less than any release of ECGs; correct it."


def _of_index(cohort: Cohort) -> Iterator[str]:
    card, index, unreadable = cohort.card, cohort.index(), cohort.unreadable
    if len(unreadable):
        yield (
            f"{plural(len(unreadable), 'record')} cannot be indexed; the first reason: "
            f"{unreadable['reason'][0]} Correct _read_index if they can be."
        )
    if card.records is not None and len(index) + len(unreadable) > card.records:
        yield (
            f"It has {plural(len(index) + len(unreadable), 'record')}, more than the {card.records:,} of its "
            f"card; correct the card."
        )
    if not index.equals(cohort.anew().index()):
        yield "Its index is another one when it is read again; yield the records in a fixed order."
    if cohort.unknown_sexes:
        words = some(f"'{word}'" for word in sorted(cohort.unknown_sexes))
        yield f"Nobody understands the sexes {words}; say in the class's 'sexes' what they mean."
    folds = index["fold"]
    if (card.folds is None) != bool(folds.isna().all()):
        yield "Records have folds exactly where the card names the folds; correct one of the two."
    elif card.folds is not None:
        named = [*card.folds.training, *card.folds.validation, *card.folds.test]
        if without := int(folds.isna().sum()):
            yield f"{plural(without, 'record has', 'records have')} no fold; give each record one."
        if not folds.isin(named).any():
            yield "No record is in a fold that the card names; correct the card, or the folds of the records."


def _of_codes(cohort: Cohort) -> Iterator[str]:
    ontology, card = load_ontology(), cohort.card
    statements = cohort.index()["statements"].tolist()
    unknown = ontology.unknown_codes(card.vocabulary, statements, card.id)
    if unknown:
        yield (
            f"{len(unknown):,} of its codes are in no table, so that their records are not annotated: "
            f"{some(f'{code} ({count}x)' for code, count in unknown.items())}; map them, or list them as "
            f"unmapped with the reason."
        )
    silent = [name for name in cohort.annotates if name not in ontology.stated_by(card.id, card.vocabulary)]
    if silent:
        yield (
            f"It annotates {some(silent)}, but no code says yes to that, so that every record would be "
            f"negative; map a code, or leave it out of 'annotates'."
        )
    if card.id not in ontology.cohorts and not (ontology.coverage(card.id) == "annotated").any():
        yield "It annotates no concept, so that nothing can be measured; say in 'annotates' which and why."


def _of_signals(cohort: Cohort) -> Iterator[str]:
    index, rates = cohort.index(), cohort.card.sampling_rates
    chosen = np.unique(np.linspace(0, len(index) - 1, LOOKED_AT).round().astype(int))
    failed: list[str] = []
    other_rates: set[float] = set()
    differs = 0
    for position in chosen:
        row = index.iloc[position]
        try:
            native = cohort.read(row)
            standard_leads(native)
        except RecordError as error:
            failed.append(str(error))
            continue
        differs += not np.array_equal(native.counts, cohort.read(row).counts)
        if rates and native.sampling_rate not in rates:
            other_rates.add(native.sampling_rate)
    if failed:
        yield f"{len(failed)} of {len(chosen)} signals cannot be used; the first reason: {failed[0]}"
    if other_rates:
        yield (
            f"Signals have {some(f'{rate:g}' for rate in sorted(other_rates))} Hz, but its card names "
            f"{some(f'{rate:g}' for rate in rates)} Hz; correct sampling_rates, or the reading."
        )
    if differs:
        yield f"{differs} of {len(chosen)} signals are others when they are read again; correct _read_signal."
