"""Writing the report of a run, or of the results of many, once more."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from benchmark.commands.options import (
    CacheOption,
    CohortFiles,
    DataOption,
    Folder,
    Repeated,
    by_commas,
)
from benchmark.commands.papers import NOTHING, PaperOptions
from benchmark.config import DEFAULT_RUN, Places, find_places
from benchmark.metrics.names import Metric
from benchmark.terminal import tell
from cohorts.counts import plural
from cohorts.errors import UsageError

if TYPE_CHECKING:
    from benchmark.report.board import Within
    from benchmark.report.kept import Kept
    from benchmark.report.sets import OwnSets

JOINED = Path("results/board")
"""Where the board of results from many places is written."""


def report(
    *folder: Folder,
    out: Folder | None = None,
    rank_by: Metric = "auroc",
    concept_set: str | None = None,
    concept: Repeated = (),
    cohort: Repeated = (),
    protocol: str | None = None,
    only: Repeated = (),
    data: DataOption = None,
    cohort_file: CohortFiles = (),
    cache: CacheOption = None,
    paper: PaperOptions = NOTHING,
) -> int:
    """Write the leaderboard, tables and figures of a run again, or one board of results from many places.

    Parameters
    ----------
    folder
        Folder of a run; or several folders of runs, of submissions of either kind, or of many submissions.
    out
        Where to write the board of several, or what is for a paper. That of one run is written into the run.
    rank_by
        What models are ranked by: auroc or auprc. The page shows both.
    concept_set
        Rank within a set of concepts: 'all shared', rhythm, conduction, 'infarction and ST-T', hypertrophy,
        superclasses, echo, rare, or one of [concept_sets] in leadboard.toml.
    concept
        Rank by these concepts alone, separated by commas or repeated; also of a macro table, curve or heat
        map.
    cohort
        Rank over these cohorts, or those of a set of [cohort_sets] in leadboard.toml; separated by commas or
        repeated. By default those that are external to the controls. Or those of a table or figure.
    protocol
        Rank models under this protocol alone, over the same cohorts and concepts as all. The page has a
        choice of them.
    only
        Write these files alone, separated by commas or repeated, such as leaderboard.html or the folder
        figures. The page has no links to others.
    data
        Folder that holds the releases (or LEADBOARD_DATA), for the resamples of submissions and the
        labels of a curve.
    cohort_file
        Description of a hospital's own cohort (cohort.toml), beside those in leadboard.toml; may be repeated.
    cache
        Folder for prepared cohorts, and of this site's key (or LEADBOARD_CACHE).
    """
    from benchmark.exchange.gathering import is_run
    from benchmark.report.kept import Kept
    from benchmark.report.sets import choose
    from benchmark.report.writing import write_report
    from benchmark.run.cohorts import labelled_before, prepared_before

    folders, places = folder or (DEFAULT_RUN,), find_places(data, cache, cohort_file)
    if paper.wanted is not None or paper.given():
        if concept_set is not None:
            raise UsageError("--concept-set is of a ranking; leave it out.")
        if only:
            raise UsageError("--only is of the files of a report; leave it out.")
        if protocol is not None:
            raise UsageError("--protocol is of a ranking; name the model as MODEL/PROTOCOL with --model.")
        return paper.give(folders, out, places, by_commas(cohort), by_commas(concept))
    own = _own_sets()
    within = choose(concept_set, by_commas(concept), by_commas(cohort), own, protocol)
    kept = Kept(tuple(by_commas(only)))
    if len(folders) == 1 and out is None and is_run(folders[0]):
        give = prepared_before(places)
        written = write_report(folders[0], rank_by, within, give, labelled_before(places, give), own, kept)
    else:
        written = _joined_board(folders, out or JOINED, rank_by, places, within, own, kept)
    for path in written:
        tell(str(path))
    return 0


def _own_sets() -> OwnSets:
    from benchmark.config import own_sets
    from benchmark.report.sets import OwnSets

    return OwnSets(*own_sets())


def _joined_board(
    folders: Sequence[Path],
    out: Path,
    rank_by: Metric,
    places: Places,
    within: Within,
    own: OwnSets,
    kept: Kept,
) -> list[Path]:
    from benchmark.exchange.disclosure import find_site_key
    from benchmark.exchange.gathering import gather
    from benchmark.exchange.joining import join
    from benchmark.progress import Reporter
    from benchmark.records.run_folder import run_name
    from benchmark.report.writing import write_board
    from benchmark.run.cohorts import labelled, labelled_before, prepared_before

    stores = labelled(places, Reporter()) if places.have_releases else None
    joined = join(gather(folders, stores), run_name(out), find_site_key(places.cache))
    if not (joined.records or joined.told):
        raise UsageError("None of these results can be shown: " + " ".join(joined.plan.warnings))
    for source in joined.sources:
        tell(f"{source.name}: {source.kind}, {plural(source.cells, 'cell')}")
    tell(*joined.plan.warnings)
    give = prepared_before(places)
    return write_board(joined, out, rank_by, within, give, labelled_before(places, give), own, kept)
