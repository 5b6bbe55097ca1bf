"""Commands about cohorts and concepts: list, prepare, simulate, download."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from cyclopts import Group, Parameter
from cyclopts.validators import Number

from benchmark.commands.options import (
    CacheOption,
    CohortFiles,
    DataOption,
    Flag,
    Folder,
    JsonOption,
    Seed,
    belongs_to,
    print_json,
)
from benchmark.config import find_places
from benchmark.terminal import tell
from cohorts.counts import plural
from cohorts.errors import LeadboardError, UsageError

IDS_SHOWN = 5

_LOOK = Group("First look", validator=belongs_to("--check"))

Scale = Annotated[float, Parameter(validator=Number(gte=0.001, lte=1000))]


def cohorts(
    *,
    data: DataOption = None,
    cohort_file: CohortFiles = (),
    cache: CacheOption = None,
    as_json: JsonOption = False,
) -> int:
    """List every cohort, and what of it is on this machine.

    Parameters
    ----------
    data
        Folder that holds the releases (or LEADBOARD_DATA).
    cohort_file
        Description of a hospital's own cohort (cohort.toml), beside those in leadboard.toml; may be repeated.
    cache
        Folder for prepared cohorts and trained models (or LEADBOARD_CACHE).
    as_json
        Print JSON.
    """
    from benchmark.commands.listing import cohort_rows
    from benchmark.commands.printing import print_table

    rows = cohort_rows(find_places(data, cache, cohort_file))
    if as_json:
        print_json(rows)
        return 0
    known = [row for row in rows if "found" in row]
    print_table(known, hide=("path", "citation", "fingerprint", "url", "broken"))
    tell(*(f"BROKEN {row['id']}: {row['broken']}" for row in rows if row["broken"]))
    return 0


def concepts(*words: str, as_json: JsonOption = False) -> int:
    """List the concepts of the ontology and which cohorts annotate them.

    Parameters
    ----------
    words
        Names, parts of names or codes of a release (1AVB, 164889003), to list only what they may mean; all
        concepts if none is given.
    as_json
        Print JSON.
    """
    from benchmark.commands.listing import concept_rows
    from benchmark.commands.printing import print_table

    rows = concept_rows(words)
    print_json(rows) if as_json else print_table(rows, hide=("prompts",))
    return 0


def prepare(
    *names: str,
    check: Flag = False,
    out: Annotated[Folder | None, Parameter(group=_LOOK)] = None,
    seed: Annotated[Seed | None, Parameter(group=_LOOK)] = None,
    data: DataOption = None,
    cohort_file: CohortFiles = (),
    cache: CacheOption = None,
    as_json: Annotated[JsonOption, Parameter(group=_LOOK)] = False,
) -> int:
    """Turn native releases into stores; what has been prepared is left alone.

    With --check nothing is prepared: 50 recordings and the index are looked at, what is doubtful is said,
    and three recordings are drawn.

    Parameters
    ----------
    names
        Cohorts; all that are on this machine if none is given.
    check
        Take a first look instead.
    out
        Folder for the drawings of a first look, first-look by default.
    seed
        Of the choice of the recordings that are looked at.
    data
        Folder that holds the releases (or LEADBOARD_DATA).
    cohort_file
        Description of a hospital's own cohort (cohort.toml), beside those in leadboard.toml; may be repeated.
    cache
        Folder for prepared cohorts and trained models (or LEADBOARD_CACHE).
    as_json
        Print what a first look saw as JSON.
    """
    from benchmark.progress import Reporter
    from benchmark.run.cohorts import choose_cohorts, prepare_cohort, size_in_words

    reporter, places = Reporter(), find_places(data, cache, cohort_file)
    if check:
        from benchmark.commands.first_look import check as look_at

        asked = list(dict.fromkeys(names)) or choose_cohorts((), places)[0]
        return look_at(asked, places, reporter, out or Path("first-look"), seed or 0, as_json)
    chosen, _ = choose_cohorts(names, places)
    failed = 0
    for name in chosen:
        try:
            store = prepare_cohort(name, places, reporter)
        except UsageError:
            raise
        except LeadboardError as error:
            reporter.say(f"FAILED {name}: {error}")
            failed += 1
            continue
        tell(f"{name}: {size_in_words(store)}, {store.path}")
        for warning in store.warnings:
            tell(f"  warning: {warning}")
        for reason, ids in store.quarantine.groupby("reason", sort=True)["record_id"]:
            more = f" and {len(ids) - IDS_SHOWN:,} more" if len(ids) > IDS_SHOWN else ""
            tell(f"  quarantined: {', '.join(ids.head(IDS_SHOWN))}{more}: {reason}")
    return 1 if failed else 0


def simulate(*cohorts: str, out: Folder, seed: Seed = 0, scale: Scale = 1.0) -> int:
    """Write synthetic releases in their native layouts; every number from them is marked simulated.

    Parameters
    ----------
    cohorts
        Cohorts to simulate; the default suite if none is given.
    out
        Folder to write the releases into; give it to the other commands with --data.
    seed
        Seed of the hearts and hospitals.
    scale
        Relative number of recordings.
    """
    from benchmark.progress import Reporter
    from cohorts.simulator.simulate import simulate as write_releases

    with Reporter().step("Simulating", quiet_without_work=True) as progress:
        folders = write_releases(out, seed, cohorts or None, scale, progress)
    tell(f"{plural(len(folders), 'simulated release is', 'simulated releases are')} in {out}")
    return 0


def download(*cohorts: str, data: DataOption = None, mirror: str | None = None, verify: bool = False) -> int:
    """Fetch releases from their publishers and verify them; an interrupted download is resumed.

    Parameters
    ----------
    cohorts
        Cohorts to fetch.
    data
        Folder that holds the releases (or LEADBOARD_DATA); created if it does not exist.
    mirror
        Address to use in place of the publisher's (or LEADBOARD_MIRROR).
    verify
        Verify again what was verified before.
    """
    from benchmark.progress import Reporter
    from cohorts.catalogue import find_cohort
    from cohorts.download import download as fetch
    from cohorts.download import plan_download

    if not cohorts:
        raise UsageError("No cohort was named; 'leadboard cohorts' lists them.")
    for name in cohorts:
        find_cohort(name)
    if data is not None:
        try:
            data.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise UsageError(
                f"Releases cannot be put into {data} ({error.strerror}); give another --data."
            ) from None
    root = find_places(data).data
    if root is None:
        raise UsageError("No data folder was named; say with --data where the releases are to go.")
    reporter, complete = Reporter(), True
    for name in cohorts:
        plan = plan_download(name, root, mirror=mirror, verify=verify)
        reporter.say(
            f"{name}: {len(plan.missing):,} of {plural(len(plan.files), 'file')} to fetch, "
            f"about {plan.bytes / 1e9:,.2f} GB; {plan.free / 1e9:,.1f} GB free in {root}; "
            f"licence {plan.publication.card.licence}"
        )
        with reporter.step(f"Downloading {name}", "bytes", quiet_without_work=True) as progress:
            summary = fetch(plan, progress)
        tell(summary.text)
        for failure in summary.failures:
            tell(f"  FAILED {failure.path}: {failure.reason}")
        for path in summary.set_aside:
            tell(f"  set aside, its sum is wrong: {path}")
        if plan.publication.release.afterwards:
            tell(f"  {plan.publication.release.afterwards}")
        complete = complete and summary.complete
    return 0 if complete else 1
