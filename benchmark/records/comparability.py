"""Whether numbers may stand beside each other, and whether they are of the data that is here."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from benchmark.metrics.cell.results import ConceptMetrics
from benchmark.records.record import OntologyFacts, ResultRecord
from cohorts.cohort import CohortCard
from cohorts.labelled import Labelled
from cohorts.ontology.labelling import hash_of_labelling
from cohorts.ontology.ontology import load_ontology
from cohorts.tasks import all_tasks


def labelling_of(cohort: CohortCard, outputs: Sequence[str]) -> OntologyFacts:
    """Say which labelling these outputs of a model are measured against in a cohort.

    Names that are no concepts of the ontology, or no classes of the published task, are left out.
    """
    ontology, task = load_ontology(), all_tasks().get(cohort.id)
    hashes = task.label_hashes if task else ontology.label_hashes(cohort.id, cohort.vocabulary)
    asked = [output for output in outputs if output in hashes]
    short = {output: hashes[output][:16] for output in asked}  # enough to tell two labellings apart
    return OntologyFacts(version=ontology.version, hash=hash_of_labelling(hashes, asked), concepts=short)


def same_labels(first: OntologyFacts, second: OntologyFacts) -> bool:
    """Whether the concepts of two cells of a cohort that both have are labelled alike."""
    if not (first.concepts and second.concepts):
        return first.hash == second.hash
    shared = first.concepts.keys() & second.concepts.keys()
    return all(first.concepts[concept] == second.concepts[concept] for concept in shared)


def why_not_of(record: ResultRecord, store: Labelled) -> str:
    """Say why a record was not measured on a cohort as it is here; empty where it was."""
    if record.cohort.fingerprint != store.fingerprint:
        return "another state of the release"
    here = labelling_of(store.card, record.model.outputs)
    return "" if here.hash == record.ontology.hash else "labels of another ontology"


def resampling_of(record: ResultRecord) -> tuple[int, int, float]:
    """Seed, number and level of the resamples of a cell: the same draws only where all three are the same."""
    drawn = record.evaluation.bootstrap
    return drawn.seed, drawn.resamples, drawn.level


def why_other_resamples(record: ResultRecord, seed: int, resamples: int, stated_in: str) -> str:
    """Say why a cell does not have the resamples that a file states; empty where it has them."""
    own_seed, own_resamples, _ = resampling_of(record)
    if (own_seed, own_resamples) == (seed, resamples):
        return ""
    return f"states seed {own_seed} and {own_resamples} resamples, but {stated_in} has {seed} and {resamples}"


def _counts(concepts: Mapping[str, ConceptMetrics], names: Iterable[str]) -> list[tuple[int, int]]:
    return [(one.n, one.positives) for one in map(concepts.__getitem__, names)]


def why_incomparable(first: ResultRecord, second: ResultRecord) -> str:
    """Say why two cells of a cohort were not measured alike; empty where they were.

    Their resamples are the same draws only then.
    """
    one, two = first.evaluation.bootstrap, second.evaluation.bootstrap
    here, there = first.evaluation.concepts, second.evaluation.concepts
    shared = here.keys() & there.keys()
    reasons = {
        "another state of the release": first.cohort.fingerprint != second.cohort.fingerprint,
        "labels of another ontology": not same_labels(first.ontology, second.ontology),
        f"other records ({first.records.scored:,} and {second.records.scored:,})": (
            (first.records.selection, first.records.scored)
            != (second.records.selection, second.records.scored)
        ),
        f"other resamples ({one.resamples:,} from seed {one.seed}, {two.resamples:,} from seed {two.seed})": (
            resampling_of(first) != resampling_of(second)
        ),
        "other patients": (one.unit, one.groups) != (two.unit, two.groups),
        "other labels": _counts(here, shared) != _counts(there, shared),
    }
    return next((reason for reason, differs in reasons.items() if differs), "")
