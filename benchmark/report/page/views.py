"""What the views of a model, a cohort, a concept and of two models say beside the numbers of the cells."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from benchmark.records.record import ResultRecord
from benchmark.report.board import Board, Entry
from benchmark.report.board_statistics import BoardStatistics
from benchmark.report.measured_curves import MeasuredCurves
from benchmark.report.page.details import details, gaps_of, label_shares
from benchmark.report.page.encoding import units
from benchmark.report.page.populations import annotated
from benchmark.report.pairs import paired_differences
from benchmark.report.view_facts import cohort_facts, concept_facts, overlap_sentence


def view_data(
    boards: Sequence[Board],
    found: Sequence[BoardStatistics],
    mistakes: Mapping[Entry, str],
    curves: MeasuredCurves,
) -> dict[str, Any]:
    """Give what the views need beside `benchmark.report.page.data.page_data`, in the places that it has.

    Parameters
    ----------
    boards
        By the metric that is shown first.
    found
        Statistics of each board.
    mistakes
        Path of the page with the mistakes of an entry, beside the leaderboard.
    curves
        Of the concepts that have details.

    Returns
    -------
    dict
        ``overlap``: a sentence for each cell; ``about_cohorts``: facts of each cohort;
        ``about_concepts``: concept -> facts; ``mistakes``: place of an entry -> path; ``pairs``: for each
        kind of cohort, the paired differences of every two entries; ``details`` as `details` gives them;
        ``shares``: place of an entry -> kind of its protocol and percentage of the labels; ``gaps``: for each
        kind of cohort, place of an entry -> `gaps_of` it.
    """
    records = [record for board in boards for record in board.records]
    entries = {e: at for at, e in enumerate(dict.fromkeys(e for board in boards for e in board.entries))}
    cohorts = {key: at for at, key in enumerate(dict.fromkeys(map(_cohort, records)))}
    numbered = {c: at for at, c in enumerate(dict.fromkeys(c for r in records for c in annotated(r)))}
    concepts = set(numbered)
    return {
        "overlap": [overlap_sentence(record) for record in records],
        "about_cohorts": [_about(own, concepts) for own in _by_cohort(records)],
        "about_concepts": concept_facts(sorted(concepts)),
        "mistakes": {str(entries[entry]): path for entry, path in mistakes.items() if entry in entries},
        "pairs": [
            {
                "simulated": board.simulated,
                "pairs": [_pair(one, entries, _places(board, cohorts)) for one in paired_differences(board)],
            }
            for board in boards
        ],
        "details": details(records, numbered, curves),
        "shares": {str(entries[entry]): said for entry, said in label_shares(boards).items()},
        "gaps": [
            {
                "simulated": board.simulated,
                "entries": {
                    str(entries[entry]): said for entry, said in gaps_of(one, _places(board, cohorts)).items()
                },
            }
            for board, one in zip(boards, found, strict=True)
        ],
    }


def _by_cohort(records: Iterable[ResultRecord]) -> list[list[ResultRecord]]:
    """Records of each cohort, in the order of the page."""
    found: dict[tuple[str, bool], list[ResultRecord]] = {}
    for record in records:
        found.setdefault(_cohort(record), []).append(record)
    return list(found.values())


def _cohort(record: ResultRecord) -> tuple[str, bool]:
    return record.cohort.id, record.cohort.simulated


def _places(board: Board, cohorts: Mapping[tuple[str, bool], int]) -> dict[str, int]:
    """Place of each cohort of one kind."""
    return {name: at for (name, simulated), at in cohorts.items() if simulated == board.simulated}


def _about(records: Sequence[ResultRecord], concepts: set[str]) -> dict[str, Any]:
    """Facts of a cohort as most of its records were measured; ``states`` tells how many there are of it."""
    fullest = max(records, key=lambda record: record.records.scored)
    same = [record for record in records if record.cohort.fingerprint == fullest.cohort.fingerprint]
    found = cohort_facts([fullest, *(record for record in same if record is not fullest)])
    return found | {
        "private": fullest.cohort.private,
        "states": len({record.cohort.fingerprint for record in records}),
        "annotated": {c: said for c, said in found["annotated"].items() if c in concepts},
    }


def _pair(
    pair: Mapping[str, Any], entries: Mapping[Entry, int], cohorts: Mapping[str, int]
) -> dict[str, Any]:
    """Say the same with places of entries and cohorts, and in the units of the page.

    Of each cohort: value, low, high, p, p after Holm, number of concepts, and why it is undefined, if it is;
    under ``auprc`` the first five of macro AUPRC, where both averages are over the same concepts.
    """
    why_not = pair["refused"] | pair["lacking"]
    return {
        "first": entries[Entry(*pair["first"])],
        "second": entries[Entry(*pair["second"])],
        "cohorts": {
            str(cohorts[cohort]): [
                *(units(number) for number in one["auroc"]),
                one["concepts"],
                *([one["why"]] if one["why"] else []),
            ]
            for cohort, one in pair["cohorts"].items()
        },
        "auprc": {
            str(cohorts[cohort]): [units(number) for number in one["auprc"]]
            for cohort, one in pair["cohorts"].items()
            if one["auprc"]
        },
        "why_not": {str(cohorts[cohort]): why for cohort, why in why_not.items()},
        "pooled": [units(number) for number in pair["pooled"]],
        "pooled_over": [cohorts[cohort] for cohort in pair["pooled_over"]],
    }
