"""What moving to another hospital costs a model: the same concepts at home and elsewhere."""

from __future__ import annotations

from itertools import product
from statistics import fmean
from typing import NamedTuple

from benchmark.report.leaderboard import Standing
from benchmark.results import ResultRecord


class Change(NamedTuple):
    """AUROC elsewhere minus AUROC at home, on the concepts that are eligible in both.

    Attributes
    ----------
    mean
        Mean over the pairs of an internal and an external cohort of the mean over their shared concepts.
    concepts
        Distinct concepts that entered.
    pairs
        Pairs of cohorts that share a concept.
    """

    mean: float
    concepts: int
    pairs: int


def change_elsewhere(standing: Standing) -> Change | None:
    """How AUROC changes from internal to external cohorts on the same concepts.

    Macro averages of two cohorts are over different concepts, so their difference mixes a change of
    hospital with a change of questions. This one does not.

    Returns
    -------
    Change or None
        None if no internal and external cohort share an eligible concept.
    """
    differences, concepts = [], set()
    for home, away in product(standing.internal, standing.external):
        at_home, elsewhere = _eligible_aurocs(home), _eligible_aurocs(away)
        shared = at_home.keys() & elsewhere.keys()
        if shared:
            differences.append(fmean(elsewhere[c] for c in shared) - fmean(at_home[c] for c in shared))
            concepts |= shared
    return Change(fmean(differences), len(concepts), len(differences)) if differences else None


def _eligible_aurocs(record: ResultRecord) -> dict[str, float]:
    found = record.evaluation.concepts
    return {c: m.auroc.value for c, m in found.items() if m.eligible and m.auroc.value is not None}
