"""Commands about results that travel: submit, verify."""

from __future__ import annotations

from pathlib import Path

from benchmark.commands.options import (
    CacheOption,
    CohortFiles,
    DataOption,
    Flag,
    Folder,
    JsonOption,
    Place,
    print_json,
)
from benchmark.config import find_places
from benchmark.terminal import tell

SUBMISSIONS = Path("results/submissions")


def submit(
    run: Folder, *, to: Folder = SUBMISSIONS, model: str | None = None, simulated: Flag = False
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
    """
    from benchmark.records.submission import pack
    from cohorts.catalogue import cohort_cards

    folder, cells = pack(run, to, model, simulated=simulated)
    tell(f"{len(cells)} result{'' if len(cells) == 1 else 's'} packed: {folder}")
    cards = cohort_cards()
    closed = {cell.record.cohort.id for cell in cells if cards[cell.record.cohort.id].access != "open"}
    for cohort in sorted(closed):
        tell(f"{cohort} is not open to everyone: check that its terms let you share record ids and scores.")
    tell(f"Check it as a reviewer does: leadboard verify {folder} --data RELEASES")
    return 0


def verify(
    path: Place,
    *,
    data: DataOption = None,
    cohort_file: CohortFiles = (),
    cache: CacheOption = None,
    as_json: JsonOption = False,
) -> int:
    """Recompute results from their predictions and name every difference; exit code 1 if there is one.

    Parameters
    ----------
    path
        Folder of a submission or a run, or one result record.
    data
        Folder that holds the releases (or LEADBOARD_DATA); without them numbers are not checked.
    cohort_file
        Description of a hospital's own cohort (cohort.toml), beside those in leadboard.toml; may be repeated.
    cache
        Folder for prepared cohorts (or LEADBOARD_CACHE).
    as_json
        Print JSON.
    """
    from benchmark.progress import Reporter
    from benchmark.records.verification import verify as verified
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
    tell(f"{found.agreed:,} checks agree, {counts[0]:,} differ, {counts[1]:,} could not be made.")
    return 1 if found.differences else 0
