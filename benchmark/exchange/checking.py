"""Checking what travels: one submission of either kind, a folder of them, a run, a record."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from math import fsum
from pathlib import Path, PurePosixPath
from typing import Any

from benchmark.exchange.aggregate import (
    CELLS,
    AggregateCell,
    AggregateConcept,
    AggregateManifest,
    load_aggregate,
)
from benchmark.exchange.disclosure import WITHHELD, Count, Figure
from benchmark.files import inside
from benchmark.metrics.estimates import Result
from benchmark.models.contamination import relation_of
from benchmark.models.model_card import ModelCard
from benchmark.records.findings import Findings, Verification
from benchmark.records.manifest import CARD, MANIFEST, README, hashes
from benchmark.records.strict_json import read_json
from benchmark.records.verification import MOST_ABOUT_BYTES, check_manifest, read_about
from benchmark.records.verification import verify as verify_recomputable
from benchmark.text import printable, some
from cohorts.catalogue import measured_cards
from cohorts.errors import LeadboardError
from cohorts.labelled import LabelledCohorts
from cohorts.ontology.ontology import load_ontology
from cohorts.tasks import all_tasks

SELF_REPORTED = "self-reported: not recomputable"

ROUNDING = 0.011
"""Half units of a concept's figure and of the macro average, and a little; where one decimal may be given."""


def verify(path: Path, stores: LabelledCohorts) -> Verification:
    """Check everything about some results that can be checked on this machine.

    Parameters
    ----------
    path
        As for `benchmark.records.verification.verify`; or an aggregate submission, or a folder of
        submissions.

    Raises
    ------
    UsageError
        If the path is none of these, or holds no result at all.
    """
    if is_aggregate(path):
        found = Verification()
        check_aggregate(found, path)
        return found
    several = submissions_in(path)
    if not several:
        return verify_recomputable(path, stores)
    whole = Verification()
    for folder in several:
        _add(whole, verify(folder, stores), printable(folder.name, 80))
    return whole


def submissions_in(folder: Path) -> list[Path]:
    """Give the submissions in a folder of submissions, by name; none where it is something else."""
    if not folder.is_dir() or (folder / MANIFEST).is_file():
        return []
    return sorted(child for child in folder.iterdir() if (child / MANIFEST).is_file())


def is_aggregate(folder: Path) -> bool:
    """Whether a folder says that it is an aggregate submission; whether it is one is checked elsewhere."""
    path = folder / MANIFEST
    if not path.is_file():
        return False
    try:
        content: Any = read_json(path, most=MOST_ABOUT_BYTES)
    except LeadboardError:
        return False
    return isinstance(content, dict) and content.get("kind") == "aggregate"


def _add(whole: Verification, part: Verification, name: str) -> None:
    whole.agreed += part.agreed
    for kind in ("differences", "unchecked", "remarks"):
        found = getattr(part, kind)
        getattr(whole, kind).extend(one._replace(where=f"{name}/{one.where}") for one in found)


def check_aggregate(found: Verification, folder: Path) -> list[AggregateCell]:
    """Check an aggregate submission: hashes, schema, and whether its numbers go together.

    Returns
    -------
    The cells that could be read.
    """
    present = hashes(folder)
    manifest = read_about(found, folder / MANIFEST, AggregateManifest)
    cards = read_about(found, folder / CARD, dict[str, ModelCard]) or {}
    if manifest is not None:
        check_manifest(found, folder, manifest, present)
    cells: list[AggregateCell] = []
    for name in present:
        path = PurePosixPath(name)
        if len(path.parts) != 3 or path.parts[0] != CELLS or path.suffix != ".json":
            found.at(name).check(name in (CARD, README), "is no file of an aggregate submission")
            continue
        at = found.at(name)
        try:
            cell = load_aggregate(inside(folder, name))
        except LeadboardError as error:
            at.check(False, str(error).replace(f"{folder}/", ""))
            continue
        cells.append(cell)
        stated = f"{CELLS}/{cell.protocol}/{cell.cohort.id}.json"
        at.check(stated == name, f"is a cell of {cell.protocol} on {cell.cohort.id}")
        if manifest is not None:
            at.check(cell.model == manifest.model, f"is of {cell.model}, not of {manifest.model}")
        _check_card(at, cell, cards.get(cell.protocol))
        check_cell(at, cell)
        at.skip(SELF_REPORTED)
    found.at(folder.name).check(bool(cells), "has no cell")
    unused = cards.keys() - {cell.protocol for cell in cells}
    found.at(CARD).check(not unused, f"has cards without a cell: {some(sorted(unused))}")
    return cells


def _check_card(at: Findings, cell: AggregateCell, card: ModelCard | None) -> None:
    if not at.check(card is not None and card.name == cell.model, f"has no card in {CARD}") or card is None:
        return
    related = relation_of(card, cell.cohort.id, pretrained_here=cell.pretraining is not None)
    at.check(
        cell.relation == related,
        f"calls {cell.cohort.id} {cell.relation} to the model; by its card it is {related}",
    )


def check_cell(at: Findings, cell: AggregateCell) -> None:
    """Check what the numbers of a cell must be to each other, whatever they were made from."""
    known = {*load_ontology().concepts.index}
    task = all_tasks().get(cell.cohort.id)
    strangers = [name for name in cell.concepts if name not in known | {*(task.classes if task else ())}]
    at.check(not strangers, f"has metrics of what is no concept: {some(strangers)}")
    here = measured_cards().get(cell.cohort.id)
    if here is not None and not cell.cohort.private:
        named = cell.cohort.name, cell.cohort.version
        at.check(named == (here.name, here.version), f"names its cohort '{named[0]}' {named[1]}")
    minimum = cell.minimum_count
    wrong = [count for count in _counts(cell) if not _well_formed(count, minimum)]
    at.check(not wrong, f"has counts that are no multiples of {minimum}: {some(wrong)}")
    scored = _most(cell.records.scored, minimum)
    for name, concept in cell.concepts.items():
        _check_concept(at, name, concept, scored, minimum)
    for figure in _figures(cell):
        # A bootstrap interval need not hold what was measured: where that is 0, no resample is below.
        ends = [end for end in (figure.low, figure.high) if end is not None]
        said = f"has a value {figure.value} with an interval [{figure.low}, {figure.high}]"
        at.check(ends == sorted(ends), f"{said}, whose ends are exchanged")
        at.check(all(0 <= one <= 1 for one in (figure.value, *ends)), f"{said}, which is not within [0, 1]")
    _check_macro(at, cell)
    for name, grouping in cell.subgroups.items():
        total = sum(_least(group.records) for group in grouping.groups.values())
        at.check(total <= scored, f"has more records by {name} than were scored")


def _check_concept(at: Findings, name: str, concept: AggregateConcept, scored: int, minimum: int) -> None:
    at.check(
        _least(concept.positives) <= _most(concept.n, minimum) and _least(concept.n) <= scored,
        f"has n and positives of {name} that do not go together",
    )
    few = any(isinstance(count, str) for count in (concept.n, concept.positives))
    at.check(not few or concept.auroc is None, f"gives figures of {name}, whose counts it does not give")


def _check_macro(at: Findings, cell: AggregateCell) -> None:
    macro = cell.macro
    there = [cell.concepts.get(name) for name in macro.concepts]
    for metric in ("auroc", "auprc"):
        figures = [getattr(concept, metric, None) for concept in there]
        values = [figure.value for figure in figures if figure is not None]
        stated: Figure | None = getattr(macro, metric)
        if not at.check(
            len(values) == len(there), f"has a macro {metric.upper()} over what it does not give"
        ):
            continue
        mean = fsum(values) / len(values) if values else None
        agrees = (stated is None) == (mean is None) and (
            stated is None or mean is None or abs(stated.value - mean) <= ROUNDING
        )
        said = None if stated is None else stated.value
        at.check(agrees, f"has a macro {metric.upper()} of {said}, but the mean over its concepts is {mean}")


def _well_formed(count: Count, minimum: int) -> bool:
    if isinstance(count, str):
        return count in (f"< {minimum}", WITHHELD)
    return count >= minimum and count % minimum == 0


def _least(count: Count) -> int:
    """The smallest number that a count may stand for."""
    return 0 if isinstance(count, str) else count


def _most(count: Count, minimum: int) -> int:
    """The largest number that a count may stand for; without bound where it is withheld."""
    if isinstance(count, str):
        return 2**63 if count == WITHHELD else minimum - 1
    return count + minimum - 1


def _counts(cell: AggregateCell) -> Iterator[Count]:
    records = cell.records
    yield from (records.scored, records.unselected, records.unusable)
    if records.patients is not None:
        yield records.patients
    for concept in cell.concepts.values():
        yield from (concept.n, concept.positives)
    for grouping in cell.subgroups.values():
        for group in grouping.groups.values():
            yield group.records
            for one in group.concepts.values():
                yield from (one.n, one.positives)


def _figures(part: Result) -> Iterator[Figure]:
    """Give every figure of a cell, wherever it stands."""
    if isinstance(part, Figure):
        yield part
        return
    for name in type(part).model_fields:
        yield from _figures_in(getattr(part, name))


def _figures_in(value: object) -> Iterable[Figure]:
    if isinstance(value, Result):
        yield from _figures(value)
    elif isinstance(value, dict):
        for one in value.values():
            yield from _figures_in(one)
