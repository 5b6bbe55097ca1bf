"""All files of the report of a run, or of a board of results from different places."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from itertools import chain
from pathlib import Path

from benchmark.exchange.joining import Joined, one_run
from benchmark.files import sweep, write_atomically
from benchmark.metrics.names import METRICS, Metric
from benchmark.records.manifest import MANIFEST
from benchmark.records.report_stamp import STAMP, inputs_of, note_report, without_labels
from benchmark.records.run_file import RUN
from benchmark.records.run_folder import load_run_file, lock_path
from benchmark.report import self_reported, self_reported_files
from benchmark.report.board import EVERYTHING, Within
from benchmark.report.board_statistics import statistics_of
from benchmark.report.efficiency import efficiency
from benchmark.report.export import as_csv, as_json
from benchmark.report.forest import forest
from benchmark.report.heatmap import heatmap
from benchmark.report.kept import EVERY_FILE, Kept
from benchmark.report.markdown import as_markdown
from benchmark.report.measured_curves import MeasuredCurves
from benchmark.report.mistakes.pages import FOLDER, mistake_pages, without_recordings
from benchmark.report.page.details import concepts_with_room
from benchmark.report.page.page import as_html
from benchmark.report.self_reported_pool import pooled_with_told
from benchmark.report.sets import NONE, OwnSets, boards_by_set
from cohorts.errors import UnknownNameError, UsageError
from cohorts.labelled import LabelledCohorts
from cohorts.locks import alone
from cohorts.store import Stores


def write_report(
    run: Path,
    rank_by: Metric = "auroc",
    within: Within = EVERYTHING,
    stores: Stores | None = None,
    labels: LabelledCohorts | None = None,
    own: OwnSets = NONE,
    kept: Kept = EVERY_FILE,
) -> list[Path]:
    """Write the leaderboard of a run into its folder, as page, Markdown, CSV and JSON, with its figures.

    A pure function of ``run.json``, the result records and their resampled figures: the same of these give
    the same bytes. The recordings in ``mistakes/`` are from the stores, if these are given.

    Parameters
    ----------
    run
        Folder of the run.
    rank_by
        The metric whose ranking is shown first; the page and the JSON have the other one too.
    within
        The sets that are ranked within. The page has all others too.
    stores
        Gives prepared cohorts, for the sheets of each model's most confident mistakes. Without it, and of
        a model none of whose cohorts it has, those of an earlier report stay as they are.
    labels
        Gives cohorts with their labels, for the curves of the page.
    own
        A user's own sets, for the page.
    kept
        The files that are written; the page has links to no others.

    Returns
    -------
    list of Path
        The files written: ``leaderboard.html``, ``.md``, ``.csv``, ``.json`` and ``figures/``
        ``forest``, ``heatmap`` and, where models were given parts of the labels, ``efficiency``, as ``.svg``
        and ``.png``. ``report.json`` says what they were made from.

    Raises
    ------
    UsageError
        If the folder is not a run, or a report has no such protocol or file.
    LeadboardError
        If a file in it is damaged, or the folder cannot be written to.
    """
    load_run_file(run)  # a folder that is no run is left as it is
    with alone(lock_path(run, run / STAMP), f"writing the report of {run}"), _uncollected():
        made_from = inputs_of(run, rank_by, within.key + own.key + kept.key)
        joined = one_run(run)
        content = _written(run, joined, rank_by, within, stores, labels, own, kept)
        note_report(run, made_from, content, without_labels(joined.records, labels))
    return [run / name for name in content]


@contextmanager
def _uncollected() -> Iterator[None]:
    """Look for no garbage in circles: results have none, and looking takes an eighth of the time."""
    collecting = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collecting:
            gc.enable()


def write_board(
    joined: Joined,
    folder: Path,
    rank_by: Metric = "auroc",
    within: Within = EVERYTHING,
    stores: Stores | None = None,
    labels: LabelledCohorts | None = None,
    own: OwnSets = NONE,
    kept: Kept = EVERY_FILE,
) -> list[Path]:
    """Write the leaderboard of results that were made in different places, with the files of `write_report`.

    Parameters
    ----------
    joined
        As from `benchmark.exchange.joining.join`. What is self-reported stands in a section of its own,
        and in ``self-reported.csv``.
    folder
        Where to; not a run or a submission, which have a page of their own or none.

    Raises
    ------
    UsageError
        If the folder is a run or a submission.
    LeadboardError
        If it cannot be written to.
    """
    for name in (RUN, MANIFEST):
        if (folder / name).exists():
            raise UsageError(f"{folder} has a {name}; name another folder for the joined board with --out.")
    with alone(lock_path(folder, folder / STAMP), f"writing the board in {folder}"), _uncollected():
        content = _written(folder, joined, rank_by, within, stores, labels, own, kept)
    return [folder / name for name in content]


def _written(
    folder: Path,
    joined: Joined,
    rank_by: Metric,
    within: Within,
    stores: Stores | None,
    labels: LabelledCohorts | None,
    own: OwnSets,
    kept: Kept,
) -> dict[str, str | bytes]:
    sweep((folder, folder / "figures", folder / FOLDER))
    content = _content(joined, rank_by, within, stores, labels, own, kept)
    for name, data in content.items():
        write_atomically(folder / name, data)
    if stores is not None:  # else nobody has looked, and those of an earlier report stay, as in mid-run
        stay = {*content, *without_recordings(joined, stores)}
        for page in (folder / FOLDER).glob("*.html"):  # of what may be no mistake any more
            if f"{FOLDER}/{page.name}" not in stay and FOLDER in kept:
                page.unlink()
    return content


def _content(
    joined: Joined,
    rank_by: Metric,
    within: Within,
    stores: Stores | None,
    labels: LabelledCohorts | None,
    own: OwnSets,
    kept: Kept,
) -> dict[str, str | bytes]:
    """Give every file of a report by its name."""
    plan, records, draws = joined.plan, joined.records, (joined.draws, joined.lacking)
    protocols = {cell.protocol for cell in plan.cells} | {record.protocol for record in records}
    if within.protocol is not None and within.protocol not in protocols:
        raise UnknownNameError("protocol", within.protocol, protocols)
    metrics = (rank_by, *(other for other in METRICS if other != rank_by))
    ranked = partial(boards_by_set, plan, records, *draws, within=within, own=own)
    with ThreadPoolExecutor(len(metrics)) as both:  # reading and sorting resamples need no interpreter
        by_set = list(chain.from_iterable(both.map(lambda metric: ranked(metric=metric), metrics)))
    asked = [one.board for one in by_set if one.board.within == within]
    boards = [board for board in asked if board.metric == rank_by]
    others = [board for board in asked if board.metric != rank_by]
    beside = ThreadPoolExecutor(2)  # packing a PNG needs none either
    drawing = [beside.submit(draw, boards) for draw in (heatmap, forest)]
    beside.shutdown(wait=False)
    found = [statistics_of(board) for board in boards]
    pooled = pooled_with_told(joined.told, boards, found)
    told = self_reported.self_reported_tables(joined.told, pooled)
    plain = self_reported_files.as_plain(joined.told, pooled, joined.sources) if joined.sources else {}
    tables = {
        "leaderboard.csv": as_csv(records),
        "leaderboard.json": as_json(plan, records, boards, others, found, plain),
    }
    by_labels = efficiency(boards)
    shown = [record for board in boards for record in board.records]
    drawn = {record.cohort.id for record in shown} - without_labels(shown, labels).keys()
    chosen = concepts_with_room(shown, drawn)
    curves = MeasuredCurves(chosen, shown, joined.files, labels)
    sheets = mistake_pages(joined, stores, curves)
    mistakes = {entry: one for entry, one in sheets.items() if one[0] in kept}
    pictures = [one.result() for one in reversed(drawing)]
    if by_labels is not None:
        pictures.append(by_labels)
    content: dict[str, str | bytes] = {
        "leaderboard.html": as_html(
            joined,
            boards,
            others,
            found,
            by_set,
            pictures,
            curves,
            told,
            {entry: path for entry, (path, _) in mistakes.items()},
            kept,
        ),
        "leaderboard.md": as_markdown(
            plan,
            records,
            boards,
            found,
            [p.name for p in pictures if f"figures/{p.name}.png" in kept],
            [table for table, collapsed in told if not collapsed],
            self_reported.sources_table(joined.sources) if joined.sources else None,
        ),
        **tables,
    }
    if joined.told:
        content["self-reported.csv"] = self_reported_files.told_csv(joined.told)
    content |= dict(mistakes.values())
    for picture in pictures:
        content[f"figures/{picture.name}.svg"] = picture.svg
        content[f"figures/{picture.name}.png"] = picture.png
    kept.check(content)
    return {name: data for name, data in content.items() if name in kept}
