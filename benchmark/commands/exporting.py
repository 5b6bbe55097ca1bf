"""Figures of a run for other programs: export."""

from __future__ import annotations

from benchmark.commands.options import Flag, Folder, NewFile
from benchmark.terminal import tell
from cohorts.errors import UsageError


def export(run: Folder, *, tidy: Flag = False, out: NewFile) -> int:
    """Write every figure of a run as one long table: a row an estimate, nothing of a single record.

    Parameters
    ----------
    run
        Folder of the run.
    tidy
        AUROC, AUPRC, Brier scores and operating points with intervals, n, positives, seed and rank, as CSV.
    out
        The file to write.
    """
    from benchmark.exchange.joining import one_run
    from benchmark.files import write_atomically
    from benchmark.report.papers.tidy import tidy as as_tidy

    if not tidy:
        raise UsageError("Say what to export: --tidy writes all figures as one table.")
    joined = one_run(run)
    write_atomically(out, as_tidy(joined))
    if any(record.cohort.simulated for record in joined.records):
        tell("Some of these figures are of simulated data; the column 'simulated' says which.")
    tell(str(out))
    return 0
