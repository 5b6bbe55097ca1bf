"""Commands about results that travel: submit, verify."""

from __future__ import annotations

import sys
from pathlib import Path

from benchmark.commands.options import (
    CacheOption,
    CohortFiles,
    DataOption,
    Flag,
    Folder,
    JsonOption,
    MinimumCount,
    Place,
    print_json,
)
from benchmark.config import Places, find_places
from benchmark.terminal import tell
from cohorts.counts import plural
from cohorts.errors import UsageError

SUBMISSIONS = Path("results/submissions")


def submit(
    run: Folder,
    *,
    to: Folder = SUBMISSIONS,
    model: str | None = None,
    simulated: Flag = False,
    aggregate: Flag = False,
    minimum_count: MinimumCount = 10,
    yes: Flag = False,
    cohort_file: CohortFiles = (),
    cache: CacheOption = None,
) -> int:
    """Pack a model's results from a run into one folder for review; earlier submissions are left alone.

    Parameters
    ----------
    run
        Folder of the run.
    to
        Folder of all submissions.
    model
        Name; may be left out if the run has only one model.
    simulated
        Pack results on simulated cohorts too.
    aggregate
        Pack metrics without predictions: nothing that tells of a single record. Private cohorts leave no
        other way.
    minimum_count
        With --aggregate, the smallest count that is given; all others are rounded to multiples of it.
    yes
        With --aggregate, write without asking.
    cohort_file
        Description of a hospital's own cohort (cohort.toml), beside those in leadboard.toml; may be repeated.
    cache
        Folder that holds this site's key, which stands for the data of a private cohort (or LEADBOARD_CACHE).
    """
    from benchmark.records.submission import pack
    from cohorts.catalogue import measured_cards

    places = find_places(None, cache, cohort_file)
    if aggregate:
        return _submit_aggregate(run, to, model, simulated, minimum_count, yes, places)
    folder, cells = pack(run, to, model, simulated=simulated)
    tell(f"{plural(len(cells), 'result')} packed: {folder}")
    cards = measured_cards()
    closed = {cell.record.cohort.id for cell in cells if cards[cell.record.cohort.id].access != "open"}
    for cohort in sorted(closed):
        tell(f"{cohort} is not open to everyone: check that its terms let you share record ids and scores.")
    tell(f"Check it as a reviewer does: leadboard verify {folder} --data RELEASES")
    return 0


def _submit_aggregate(
    run: Path,
    to: Path,
    model: str | None,
    simulated: bool,
    minimum: int,
    yes: bool,
    places: Places,
) -> int:
    from benchmark.exchange.disclosure import site_key
    from benchmark.exchange.packing import prepare_parcel, write_parcel

    key = site_key(places.cache)
    parcel = prepare_parcel(run, key, model, simulated=simulated, minimum=minimum)
    listing = parcel.listing()
    widths = max(len(name) for name, _, _ in listing), max(len(f"{size:,}") for _, size, _ in listing)
    tell(f"To be written: {to / parcel.manifest.folder}")
    for name, size, what in listing:
        tell(f"  {name:<{widths[0]}}  {size:>{widths[1]},} bytes  {what}")
    tell(
        f"Counts below {minimum} are given as '< {minimum}', all others as multiples of {minimum}. What can "
        "still be learned is in docs/submit.md."
    )
    if not (yes or _confirmed()):
        tell("Nothing was written.")
        return 1
    folder = write_parcel(parcel, to)
    tell(f"Packed: {folder}", f"Check it as a reviewer does: leadboard verify {folder}")
    return 0


def _confirmed() -> bool:
    """Ask on the terminal; where there is none, --yes has to be given."""
    if not (sys.stdin is not None and sys.stdin.isatty()):
        raise UsageError("This is no terminal to ask on; read the list and give --yes.")
    tell("Write it? [y/N] ", end="")
    return sys.stdin.readline().strip().lower() in ("y", "yes")


def verify(
    path: Place,
    *,
    data: DataOption = None,
    cohort_file: CohortFiles = (),
    cache: CacheOption = None,
    as_json: JsonOption = False,
) -> int:
    """Recompute results from their predictions and name every difference; exit code 1 if there is one.

    Aggregate submissions cannot be recomputed: they are said to be unchecked, and hold no difference.

    Parameters
    ----------
    path
        Folder of a submission, of several or of a run, or one result record.
    data
        Folder that holds the releases (or LEADBOARD_DATA); without them numbers are not checked.
    cohort_file
        Description of a hospital's own cohort (cohort.toml), beside those in leadboard.toml; may be repeated.
    cache
        Folder for prepared cohorts (or LEADBOARD_CACHE).
    as_json
        Print JSON.
    """
    from benchmark.exchange.checking import verify as verified
    from benchmark.progress import Reporter
    from benchmark.run.cohorts import labelled

    found = verified(path, labelled(find_places(data, cache, cohort_file), Reporter()))
    if as_json:
        groups = ("differences", "unchecked", "remarks")
        print_json(
            {"agree": found.agreed}
            | {name: [finding._asdict() for finding in getattr(found, name)] for name in groups}
        )
        return 1 if found.differences else 0
    for title, findings in (
        ("Differs", found.differences),
        ("Not checked", found.unchecked),
        ("Note", found.remarks),
    ):
        for where, what in findings:
            tell(f"{title}: {where}: {what}")
    counts = len(found.differences), len(found.unchecked)
    agreed = plural(found.agreed, "check agrees", "checks agree")
    tell(f"{agreed}, {counts[0]:,} differ, {counts[1]:,} could not be made.")
    return 1 if found.differences else 0
