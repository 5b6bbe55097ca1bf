"""What `leadboard report` gives for a paper instead of the page: a table, or a file for others."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from cyclopts import Parameter

from benchmark.report.papers.names import TableName
from benchmark.terminal import tell
from cohorts.errors import UsageError

if TYPE_CHECKING:
    from benchmark.config import Places
    from benchmark.exchange.joining import Joined
    from benchmark.report.papers.drawing import FigureFormat, PaperFigure

ExportName = Literal["tripod", "hf", "croissant"]
FigureName = Literal["roc", "pr", "forest", "heatmap"]
TABLE_FORMATS = ("latex", "markdown", "csv")
_SUFFIXES = {"latex": "tex", "markdown": "md"}
FIGURE_FORMATS: tuple[FigureFormat, ...] = ("svg", "pdf", "png")
Format = Literal["latex", "markdown", "csv", "svg", "pdf", "png"]

_BELONG = {
    "table": ("model", "cohort", "concept", "form"),
    "figure": ("model", "cohort", "concept", "form", "width"),
    "export": (),
}
"""Which other options go with each thing that can be asked for."""


@Parameter(name="*")
@dataclass(frozen=True, slots=True)
class PaperOptions:
    """What is taken from one run into a paper.

    Attributes
    ----------
    table
        Print one table, or write it into --out: macro-auroc or macro-auprc, models by cohorts; concepts,
        subgroups, operating-points, of each cohort; calibration; differences, every two models paired;
        label-efficiency; gaps, from home to elsewhere; next-hospital, pooled.
    figure
        Draw one figure: roc or pr, the curve of a concept with its band; forest, all models on all cohorts;
        heatmap, a model by concept and cohort.
    export
        Write files for others: tripod, the TRIPOD+AI checklist as far as the run can fill it in; hf, a card
        for a model hub for each model; croissant, a description of each public cohort.
    model
        Of a table, curve or heat map: MODEL, or MODEL/PROTOCOL where the model was evaluated under several.
    form
        Of a table, LaTeX if not given, which needs the package booktabs; of a figure, all three if not given.
    width
        Of a figure: column is 85 mm and page 178 mm.
    """

    table: TableName | None = None
    figure: FigureName | None = None
    export: ExportName | None = None
    model: str | None = None
    form: Annotated[Format | None, Parameter(name="--format")] = None
    width: Literal["column", "page"] | None = None

    @property
    def wanted(self) -> str | None:
        """Which of table, figure and export is asked for; the first of several."""
        return next((name for name in _BELONG if getattr(self, name)), None)

    def given(self) -> list[str]:
        """Names of all options that are given."""
        return [one.name for one in fields(self) if getattr(self, one.name)]

    def _check(self, beside: Sequence[str]) -> None:
        """Refuse options that do not go together."""
        kinds = [name for name in self.given() if name in _BELONG]
        if len(kinds) > 1:
            raise UsageError(f"--{kinds[0]} and --{kinds[1]} are two things; ask for one of them.")
        for name in (*self.given(), *beside):
            to = [kind for kind, others in _BELONG.items() if name in others]
            if name not in _BELONG and self.wanted not in to:
                shown = "format" if name == "form" else name
                belongs = " or ".join(f"--{kind}" for kind in to)
                raise UsageError(f"--{shown} belongs to {belongs}; give that, or leave it out.")
        forms = FIGURE_FORMATS if self.figure else TABLE_FORMATS
        if self.form and self.form not in forms:
            raise UsageError(f"--{self.wanted} comes as {', '.join(forms)}, not as {self.form}.")

    def give(
        self,
        folders: Sequence[Path],
        out: Path | None,
        places: Places,
        cohorts: Sequence[str],
        concepts: Sequence[str],
    ) -> int:
        """Print or write what is wanted of a run, and return the exit status.

        Raises
        ------
        UsageError
            If options are given that do not go together, or several folders.
        """
        from benchmark.exchange.joining import one_run

        self._check([name for name, of in (("cohort", cohorts), ("concept", concepts)) if of])
        if len(folders) != 1:
            raise UsageError("--table, --figure and --export are of one run; name one folder.")
        joined = one_run(folders[0])
        if self.table:
            self._give_table(self.table, joined, cohorts, concepts, out)
        elif self.figure:
            made = self._figure(folders[0], joined, places, cohorts, concepts)
            forms = [form for form in FIGURE_FORMATS if self.form in (None, form)]
            files = {f"{made.name}.{form}": made.render(form) for form in forms}
            _write(files, out or folders[0] / "paper")
            tell(made.caption)
        elif self.export:
            _write(_EXPORTS[self.export](joined, places), out or folders[0])
        return 0

    def _give_table(
        self,
        name: TableName,
        joined: Joined,
        cohorts: Sequence[str],
        concepts: Sequence[str],
        out: Path | None,
    ) -> None:
        """Print a table, or write it into a folder that is named."""
        from benchmark.report.papers.board_tables import paper_tables
        from benchmark.report.papers.typesetting import render

        form = self.form or "latex"
        made = paper_tables(name, joined, cohorts, self.model, concepts)
        text = "\n".join(render(table, form) for table in made)
        if out is None:
            tell(*text.splitlines())
        else:
            _write({f"{name}.{_SUFFIXES.get(form, form)}": text}, out)

    def _figure(
        self, run: Path, joined: Joined, places: Places, cohorts: Sequence[str], concepts: Sequence[str]
    ) -> PaperFigure:
        from benchmark.records.naming import cells_of
        from benchmark.report.papers.overview_figures import forest_figure, heatmap_figure

        width = self.width or "column"
        if self.figure == "forest":
            if self.model or concepts:
                raise UsageError("A forest plot is of all models and macro averages; leave out what chooses.")
            return forest_figure(joined.records, cohorts, width)
        if self.figure == "heatmap":
            if not self.model:
                raise UsageError("A heat map is of one model; name it with --model.")
            return heatmap_figure(cells_of(run, self.model), cohorts, concepts, width)
        if len(cohorts) != 1 or len(concepts) != 1 or not self.model:
            raise UsageError("A curve is of one model, cohort and concept; name them.")
        return self._curve(run, joined, places, cohorts[0], concepts[0])

    def _curve(self, run: Path, joined: Joined, places: Places, cohort: str, concept: str) -> PaperFigure:
        from benchmark.progress import Reporter
        from benchmark.records.naming import find_cell
        from benchmark.records.resamples import name_of
        from benchmark.records.scored import scored
        from benchmark.report.papers.curve_figures import curve_figure
        from benchmark.run.cohorts import labelled

        record = find_cell(run, self.model or "", cohort)
        measured = scored(record, concept, joined.files[name_of(record)], labelled(places, Reporter()))
        return curve_figure(
            "roc" if self.figure == "roc" else "pr", record, concept, measured, self.width or "column"
        )


def _write(files: Mapping[str, str | bytes], folder: Path) -> None:
    from benchmark.files import write_atomically

    for name, content in files.items():
        write_atomically(folder / name, content)
        tell(str(folder / name))


def _tripod(joined: Joined, _: Places) -> Mapping[str, str]:
    from benchmark.report.papers.tripod import checklist
    from cohorts.catalogue import measured_cards

    return {"tripod.md": checklist(joined.plan, joined.records, measured_cards())}


def _hub(joined: Joined, _: Places) -> Mapping[str, str]:
    from benchmark.report.papers.hub import hub_cards

    return hub_cards(joined.records)


def _croissant(joined: Joined, places: Places) -> Mapping[str, str]:
    from benchmark.report.papers.croissant import croissants
    from cohorts.catalogue import measured_cards, open_cohort

    cards = measured_cards()
    measured = dict.fromkeys(r.cohort.id for r in joined.records if r.cohort.id in cards)
    here = {cohort: open_cohort(cohort, places.data, places.folders) for cohort in measured}
    roots = {cohort: release.root for cohort, release in here.items() if release is not None}
    return croissants(joined.records, cards, roots)


_EXPORTS: Mapping[ExportName, Callable[[Joined, Places], Mapping[str, str]]] = {
    "tripod": _tripod,
    "hf": _hub,
    "croissant": _croissant,
}

NOTHING = PaperOptions()
"""The page is wanted."""
