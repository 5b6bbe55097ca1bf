"""The rules of the ranking in words, with the cohorts and concepts of one board filled in."""

from __future__ import annotations

from benchmark.metrics.checks import ELIGIBLE_MINIMUM
from benchmark.report.board import Board
from benchmark.report.text import plain, plural

SIMULATED = (
    "Simulated recordings: what is marked 'simulated' comes from synthetic hearts, not from patients. "
    "It shows that the software works and says nothing about any hospital."
)

UNSEEN_WORDS = (
    "A twin of the model was pre-trained without every record that has, or may have, one of these conditions "
    "and without every sentence that names one, then asked for them in words. Only such an answer is "
    "zero-shot in the strict sense: the model itself had read the words beside the tracings."
)


GROUPS = (
    "The best model and all that cannot be told from it share rank 1 (paired bootstrap of the mean, p values "
    "adjusted by Holm's method); the best of the others leads the next rank. To share a rank is not to be "
    "equal."
)

MEANS = (
    "Resampled figures are missing, so that ranks are by the means alone: a difference in rank is not a "
    "difference shown."
)


def ranking_rules(board: Board) -> list[str]:
    """Sentences below a leaderboard: who ranks, on what, and what the number is not."""
    kind = "simulated cohort" if board.simulated else "cohort"
    rules = [
        "Rank: by the mean of the macro AUROC over the same external cohorts for all models. A cohort is "
        "external to a model that was not trained on it or on a release that shares recordings with it. "
        + (GROUPS if board.by_groups else MEANS),
        f"Macro: the unweighted mean over the concepts with at least {ELIGIBLE_MINIMUM} positives and "
        f"{ELIGIBLE_MINIMUM} negatives in the cohort. A model ranks only if its macro averages cover "
        "every concept that is eligible for any model.",
        "External gap: AUROC on internal cohorts minus AUROC on external ones, over the concepts that are "
        "eligible in both; above 0 is a loss away from home.",
    ]
    if board.cohorts:
        over = ", ".join(f"{plain(c)} ({plural(len(board.reference[c]), 'concept')})" for c in board.cohorts)
        rules.append(f"This ranking is over {plural(len(board.cohorts), kind)}: {over}.")
    elif board.records:
        rules.append(f"Nothing is ranked: no {kind} is external to a model and has an eligible concept.")
    rules += [f"Not in this ranking: {plain(cohort)} ({why})." for cohort, why in board.left_out.items()]
    return rules
