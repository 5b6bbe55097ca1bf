"""The command about recordings that cohorts share: search for them, and make fingerprints to share."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter

from benchmark.commands.options import CacheOption, CohortFiles, DataOption, JsonOption, NewFile, print_json
from benchmark.config import Places, find_places
from benchmark.terminal import tell
from cohorts.counts import plural
from cohorts.errors import UsageError

if TYPE_CHECKING:
    from benchmark.progress import Reporter
    from cohorts.overlap.fingerprint_file import CohortFingerprints

ToShare = Annotated[
    tuple[str, ...], Parameter(name="--fingerprints", consume_multiple=True, negative=(), show_default=False)
]


def overlap(
    a: str | None = None,
    b: str | None = None,
    *,
    fingerprints: ToShare = (),
    out: NewFile | None = None,
    data: DataOption = None,
    cohort_file: CohortFiles = (),
    cache: CacheOption = None,
    as_json: JsonOption = False,
) -> int:
    """Find recordings that two cohorts share, by their signals alone; or make fingerprints of cohorts.

    Parameters
    ----------
    a
        A cohort, or a file of fingerprints.
    b
        Another one; the same cohort again to find what occurs more than once in it.
    fingerprints
        Cohorts whose fingerprints are written to --out, for people who do not have their signals.
    out
        File of fingerprints to write.
    data
        Folder that holds the releases (or LEADBOARD_DATA).
    cohort_file
        Description of a hospital's own cohort (cohort.toml), beside those in leadboard.toml; may be repeated.
    cache
        Folder for prepared cohorts and trained models (or LEADBOARD_CACHE).
    as_json
        Print JSON.
    """
    from benchmark.progress import Reporter

    reporter, places = Reporter(), find_places(data, cache, cohort_file)
    if fingerprints or out is not None:
        if not fingerprints or out is None or a is not None:
            raise UsageError(
                "Fingerprints are made with 'leadboard overlap --fingerprints COHORT --out FILE'; give both."
            )
        return _share(fingerprints, out, places, reporter, as_json)
    if a is None or b is None:
        raise UsageError("Name two cohorts, or the same one twice; 'leadboard cohorts' lists them.")
    from benchmark.run.fingerprints import is_fingerprint_file

    if any(is_fingerprint_file(Path(name)) for name in (a, b)):
        return _compare_fingerprints(a, b, places, reporter, as_json)
    return _compare_signals(a, b, places, reporter, as_json)


def _compare_signals(a: str, b: str, places: Places, reporter: Reporter, as_json: bool) -> int:
    from benchmark.commands.printing import print_table
    from benchmark.run.cohorts import prepare_cohort
    from cohorts.overlap.search import find_overlap, overlap_rows, overlap_sentences, summarise

    stores = [prepare_cohort(name, places, reporter) for name in (a, b)]
    with reporter.step(f"Comparing {a} with {b}") as progress:
        pairs = find_overlap(*stores, progress=progress)
    summary = summarise(pairs, *stores)
    rows = overlap_rows(pairs)
    if as_json:
        print_json({**summary, "shared": rows})
        return 0
    if rows:
        print_table(rows)
    for sentence in overlap_sentences(summary):
        tell(sentence)
    return 0


def _share(names: tuple[str, ...], out: Path, places: Places, reporter: Reporter, as_json: bool) -> int:
    from benchmark.run.cohorts import prepare_cohort
    from benchmark.run.fingerprints import take_fingerprints, write_fingerprints

    found = [
        take_fingerprints(prepare_cohort(name, places, reporter), places.cache, reporter)
        for name in dict.fromkeys(names)
    ]
    size = write_fingerprints(found, out)
    records = sum(len(one.fingerprints) for one in found)
    if as_json:
        print_json({"file": str(out), "bytes": size, "cohorts": [one.facts.model_dump() for one in found]})
        return 0
    tell(f"{out}: fingerprints of {plural(records, 'record')}, {size / max(1, records):.0f} bytes each.")
    tell("They hold when each beat came and how it differed from the next, and no lead, id, age or label.")
    return 0


def _compare_fingerprints(a: str, b: str, places: Places, reporter: Reporter, as_json: bool) -> int:
    """Compare two cohorts of which one or both are known by their fingerprints alone."""
    from benchmark.commands.printing import print_table

    ours, ids_a = _fingerprints(a, places, reporter)
    theirs, ids_b = _fingerprints(b, places, reporter)
    answers = [_shared(one, ids_a, other, ids_b) for one in ours for other in theirs]
    if as_json:
        print_json(answers)
        return 0
    rows = [row for answer in answers for row in answer["shared"]]
    if rows and (ids_a or ids_b):
        print_table(rows)
    for answer in answers:
        tell(
            f"{answer['shared_a']:,} of {answer['records_a']:,} records of {answer['cohort_a']} are also in "
            f"{answer['cohort_b']} ({answer['shared_b']:,} of its {answer['records_b']:,}), by fingerprints."
        )
        for side in "ab":
            if without := answer[f"without_{side}"]:
                records = f"{plural(without, 'record')} of {answer[f'cohort_{side}']}"
                tell(f"{records} could not be compared: too short or without beats.")
    return 0


def _fingerprints(
    name: str, places: Places, reporter: Reporter
) -> tuple[list[CohortFingerprints], list[str]]:
    """Give the fingerprints of a file or of a cohort, and the ids of its records where they are known."""
    from benchmark.run.cohorts import prepare_cohort
    from benchmark.run.fingerprints import is_fingerprint_file, read_fingerprints, take_fingerprints

    if is_fingerprint_file(Path(name)):
        return read_fingerprints([Path(name)]), []
    store = prepare_cohort(name, places, reporter)
    return [take_fingerprints(store, places.cache, reporter)], list(store.index["record_id"])


def _shared(
    one: CohortFingerprints, ids_a: list[str], other: CohortFingerprints, ids_b: list[str]
) -> dict[str, Any]:
    from cohorts.overlap.fingerprint_search import find_pairs

    same = one.facts.fingerprint == other.facts.fingerprint and bool(ids_a) == bool(ids_b)
    pairs = [pair for pair in find_pairs(one.fingerprints, other.fingerprints) if pair.sure]
    pairs = [pair for pair in pairs if not same or pair.a < pair.b]
    return {
        "cohort_a": one.facts.cohort,
        "cohort_b": other.facts.cohort,
        "records_a": len(one.fingerprints),
        "records_b": len(other.fingerprints),
        "without_a": len(one.fingerprints) - one.fingerprints.usable,
        "without_b": len(other.fingerprints) - other.fingerprints.usable,
        "shared_a": len({pair.a for pair in pairs}),
        "shared_b": len({pair.b for pair in pairs}),
        "shared": [
            {
                "record_a": ids_a[pair.a] if ids_a else "not named",
                "record_b": ids_b[pair.b] if ids_b else "not named",
                "beats that agree": pair.agreeing,
                "signs that differ": round(pair.differing, 3),
            }
            for pair in pairs
        ],
    }
