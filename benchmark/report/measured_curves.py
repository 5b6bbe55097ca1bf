"""Curves and reliability bins of a cell, from its predictions and the labels of its cohort."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from statistics import fmean

from benchmark.metrics.calibration import ReliabilityBin, reliability_bins
from benchmark.metrics.discrimination import auroc
from benchmark.metrics.thinning import Thinned, thinned
from benchmark.records.locations import RecordFiles
from benchmark.records.record import ResultRecord
from benchmark.records.resamples import CellName, name_of
from benchmark.records.scored import measured_cell
from cohorts.errors import LeadboardError
from cohorts.labelled import LabelledCohorts

POINTS = 30
"""Of a curve, at most."""

PIXEL = 1 / 400
"""Of the side of a plot: what nobody sees."""

CLOSE = 1e-9
"""The AUROC of a curve is that of the record, but for the order in which it was summed."""


@dataclass(frozen=True, slots=True)
class ConceptCurve:
    """One concept of a cell; ``bins`` are of equal width, none where the scores are no probabilities."""

    curve: Thinned
    bins: tuple[ReliabilityBin, ...]


def cell_curves(
    record: ResultRecord,
    concepts: Iterable[str],
    files: Mapping[CellName, RecordFiles],
    labels: LabelledCohorts | None,
) -> dict[str, ConceptCurve]:
    """Give the curves of some concepts of a cell; of several fits they are those of the first.

    Raises
    ------
    LeadboardError
        If the labels or predictions are not here as they were measured, or give another AUROC.
    """
    if labels is None or name_of(record) not in files:
        raise LeadboardError("the labels were not on this machine when the page was made")
    measured = measured_cell(record, files[name_of(record)], labels)
    calibrated = record.statistics.calibration
    found = {}
    for concept in concepts:
        one = measured.of(concept)
        areas = [auroc(one.labels, fit[concept].to_numpy()) for fit in measured.fits]
        said = record.evaluation.concepts[concept].auroc.value
        if said is None or abs(fmean(areas) - said) > CLOSE:
            raise LeadboardError(f"the AUROC of {concept} is not that of the record")
        curve = thinned(one.labels, one.scores, POINTS, close=PIXEL, name=concept)
        if curve is None:
            continue
        claimed = calibrated is not None and concept in calibrated.concepts
        bins = reliability_bins(one.labels, one.scores, name=concept) if claimed else []
        found[concept] = ConceptCurve(curve, tuple(bins))
    return found


class MeasuredCurves:
    """Curves of the cells of a board, made once for each.

    Parameters
    ----------
    concepts
        That curves are made of.
    cells
        Records that curves are made for.
    files, labels
        As of `cell_curves`.
    """

    def __init__(
        self,
        concepts: Sequence[str],
        cells: Iterable[ResultRecord],
        files: Mapping[CellName, RecordFiles],
        labels: LabelledCohorts | None,
    ) -> None:
        self.concepts, self._files, self._labels = concepts, files, labels
        self._cells = {name_of(record) for record in cells}
        self._found: dict[CellName, dict[str, ConceptCurve] | LeadboardError] = {}

    def of(self, record: ResultRecord) -> dict[str, ConceptCurve]:
        """Give the curves of a cell.

        Raises
        ------
        LeadboardError
            As `cell_curves`.
        """
        name = name_of(record)
        if name not in self._found:
            eligible = record.evaluation.macro.concepts
            own = [concept for concept in self.concepts if concept in eligible]
            try:
                self._found[name] = cell_curves(record, own, self._files, self._labels)
            except LeadboardError as error:
                self._found[name] = error
        found = self._found[name]
        if isinstance(found, LeadboardError):
            raise found
        return found

    def seen(self, record: ResultRecord) -> ResultRecord:
        """Make the curves of a cell, if any are wanted, before somebody else reads its predictions."""
        if name_of(record) in self._cells:
            with suppress(LeadboardError):
                self.of(record)
        return record
