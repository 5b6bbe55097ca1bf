"""Which concept each release annotates, how often it is positive there, and why not."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pandas as pd

from cohorts.ontology.ontology import Ontology

_FOLDER = Path(__file__).parent
_HEAD = """\
# Concepts by cohort

A number is how many records of the whole release are positive, as far as public counts say: those of a copy
on disk may be fewer. "≤" stands before the sum of several statements that one record may carry together, or
that may be hedged. "yes": annotated, the number is not public. "?": ambiguous. "·": not annotated. Where it
is neither "yes" nor a number, every record is -1 for the concept, and the page of the cohort says why.
"""


def positives() -> pd.DataFrame:
    """Positives of whole releases, as public counts give them.

    Returns
    -------
    pandas.DataFrame
        Index ``cohort`` and ``concept``; columns ``positives`` and ``bound``, ``"exactly"`` or ``"at most"``:
        the sum over statements that may stand in one record together, or be hedged.
    """
    return pd.read_csv(_FOLDER / "positives.csv").set_index(["cohort", "concept"])


def minimum_prevalence() -> pd.Series[float]:
    """Least plausible prevalence of a concept in a hospital, in %, where the releases allow to name one.

    A release that states a concept in fewer of its records did not look for it systematically, so the
    concept is ambiguous there. It is a fifth of the lowest prevalence among the large releases (3,000
    records or more) that state the concept in at least 50 records; the table names that release.
    """
    return pd.read_csv(_FOLDER / "minimum_prevalence.csv").set_index("concept")["percent"]


def coverage_matrix(ontology: Ontology) -> str:
    """Write concepts by cohorts as a page of Markdown, a table each category."""
    return "\n".join([_HEAD, *_matrix(ontology)])


def coverage_reasons(ontology: Ontology, cohort: str) -> dict[tuple[str, str], list[str]]:
    """Say why a cohort does not annotate concepts: state and reason -> the concepts."""
    states = ontology.coverage(cohort)
    found: dict[tuple[str, str], list[str]] = {}
    for concept, state in states[states != "annotated"].items():
        reason = ontology.coverage_reason(cohort, str(concept))
        found.setdefault((state, reason), []).append(str(concept))
    return found


def positives_in_words(cohort: str, concept: str, counts: pd.DataFrame | None = None) -> str:
    """Give the positives of a concept in a release, "≤ 73" where it is a bound; "" if none are public."""
    counts = positives() if counts is None else counts
    if (cohort, concept) not in counts.index:
        return ""
    number, bound = counts.loc[(cohort, concept), ["positives", "bound"]]
    return f"{'≤ ' if bound == 'at most' else ''}{number:,}"


def _matrix(ontology: Ontology) -> Iterator[str]:
    counts = positives()
    states = {cohort: ontology.coverage(cohort) for cohort in ontology.cohorts}
    for category, concepts in ontology.concepts.groupby("category", sort=False):
        yield f"## {category}\n"
        yield "| concept | " + " | ".join(ontology.cohorts) + " |"
        yield "|---|" + "---:|" * len(ontology.cohorts)
        for concept in concepts.index:
            cells = (_cell(states[cohort][concept], counts, cohort, concept) for cohort in ontology.cohorts)
            yield f"| {concept} | " + " | ".join(cells) + " |"
        yield ""


def _cell(state: str, counts: pd.DataFrame, cohort: str, concept: str) -> str:
    if state != "annotated":
        return "?" if state == "ambiguous" else "·"
    return positives_in_words(cohort, concept, counts) or "yes"
