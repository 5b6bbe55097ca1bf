"""What the page is, in one sentence, and what nobody may overlook."""

from __future__ import annotations

from collections.abc import Sequence

from benchmark.exchange.joining import Joined
from benchmark.records.measuring import PREDICTIONS
from benchmark.records.record import ResultRecord
from benchmark.report.board import Board
from benchmark.report.text import count
from cohorts.counts import plural


def headline(joined: Joined, boards: Sequence[Board]) -> str:
    """Say what was measured, on what, how much of it, with which version and when."""
    records = [record for board in boards for record in board.records]
    if not records:
        return "External validation of 12-lead ECG models: no cell of this board is finished."
    parts = [_kind(board.records, board.simulated) for board in boards if board.records]
    versions = sorted({record.provenance.leadboard for record in joined.records})
    days = sorted({record.provenance.created[:10] for record in joined.records})
    when = days[0] if len(days) == 1 else f"{days[0]} to {days[-1]}"
    return (
        f"External validation of 12-lead ECG models: {_rows(records)} on {' and '.join(parts)}. Does each "
        f"still work in another hospital? Leadboard {', '.join(versions)}, measured {when}."
    )


def _rows(records: Sequence[ResultRecord]) -> str:
    """Count models; who made the predictions of a file, a model or people, its card alone says."""
    handed_in = {record.model.name for record in records if record.protocol == PREDICTIONS}
    models = len({record.model.name for record in records} - handed_in)
    parts = [plural(models, "model")] if models else []
    if handed_in:
        parts.append(f"{plural(len(handed_in), 'set')} of predictions or readings made elsewhere")
    return " and ".join(parts)


def _kind(records: Sequence[ResultRecord], simulated: bool) -> str:
    most: dict[str, int] = {}
    for record in records:
        most[record.cohort.id] = max(record.records.scored, most.get(record.cohort.id, 0))
    kind = "simulated cohort" if simulated else "cohort"
    what = "synthetic recordings, not patients" if simulated else "real recordings"
    return f"{plural(len(most), kind)} ({count(sum(most.values()))} {what})"
