"""What `leadboard report` gives for a paper instead of the page: a table, or a file for others."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from cyclopts import Parameter

from benchmark.commands.options import Repeated
from benchmark.terminal import tell
from cohorts.errors import UsageError

if TYPE_CHECKING:
    from benchmark.config import Places
    from benchmark.exchange.joining import Joined
    from benchmark.report.papers.drawing import FigureFormat, PaperFigure

TableName = Literal["macro-auroc", "macro-auprc"]
ExportName = Literal["tripod", "hf", "croissant"]
FigureName = Literal["roc", "pr", "forest", "heatmap"]
TABLE_FORMATS = ("latex", "markdown", "csv")
FIGURE_FORMATS: tuple[FigureFormat, ...] = ("svg", "pdf", "png")
Format = Literal["latex", "markdown", "csv", "svg", "pdf", "png"]

_BELONG = {
    "table": ("cohort", "form"),
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
        Print one table: macro-auroc or macro-auprc.
    figure
        Draw one figure: roc or pr, the curve of a concept with its band; forest, all models on all cohorts;
        heatmap, a model by concept and cohort.
    export
        Write files for others: tripod, the TRIPOD+AI checklist as far as the run can fill it in; hf, a card
        for a model hub for each model; croissant, a description of each public cohort.
    cohort
        Of a table or figure, separated by commas or repeated, all of the run if not given; of a curve one.
    model
        Of a curve or heat map: MODEL, or MODEL/PROTOCOL where the model was evaluated under several.
    concept
        Of a curve one, such as AF; rows of a heat map, all if not given.
    form
        Of a table, LaTeX if not given, which needs the package booktabs; of a figure, all three if not given.
    width
        Of a figure: column is 85 mm and page 178 mm.
    """

    table: TableName | None = None
    figure: FigureName | None = None
    export: ExportName | None = None
    cohort: Repeated = ()
    model: str | None = None
    concept: Repeated = ()
    form: Annotated[Format | None, Parameter(name="--format")] = None
    width: Literal["column", "page"] | None = None

    def asked(self) -> bool:
        """Whether anything is wanted.

        Raises
        ------
        UsageError
            If options are given that do not go together.
        """
        wanted = [name for name in _BELONG if getattr(self, name)]
        if len(wanted) > 1:
            raise UsageError(f"--{wanted[0]} and --{wanted[1]} are two things; ask for one of them.")
        for one in fields(self):
            name = one.name
            if name in _BELONG or not getattr(self, name):
                continue
            to = [f"--{kind}" for kind, others in _BELONG.items() if name in others]
            if not wanted or f"--{wanted[0]}" not in to:
                shown = "format" if name == "form" else name
                raise UsageError(f"--{shown} belongs to {' or '.join(to)}; give that, or leave it out.")
        forms = FIGURE_FORMATS if self.figure else TABLE_FORMATS
        if self.form and self.form not in forms:
            raise UsageError(f"--{wanted[0]} comes as {', '.join(forms)}, not as {self.form}.")
        return bool(wanted)

    def give(self, folders: Sequence[Path], out: Path | None, places: Places) -> int:
        """Print or write what is wanted of a run, and return the exit status."""
        from benchmark.exchange.joining import one_run

        if len(folders) != 1:
            raise UsageError("--table, --figure and --export are of one run; name one folder.")
        joined = one_run(folders[0])
        if self.table:
            self._print_table(joined)
        elif self.figure:
            self._draw(folders[0], joined, out or folders[0] / "paper", places)
        elif self.export:
            _write(_EXPORTS[self.export](joined), out or folders[0])
        return 0

    def _print_table(self, joined: Joined) -> None:
        from benchmark.report.papers.tables import macro_table, render

        metric: Literal["auroc", "auprc"] = "auroc" if self.table == "macro-auroc" else "auprc"
        made = macro_table(joined.records, metric, _split(self.cohort))
        tell(*render(made, self.form or "latex").splitlines())

    def _draw(self, run: Path, joined: Joined, folder: Path, places: Places) -> None:
        made = self._figure(run, joined, places)
        forms = [form for form in FIGURE_FORMATS if self.form in (None, form)]
        _write({f"{made.name}.{form}": made.render(form) for form in forms}, folder)
        tell(made.caption)

    def _figure(self, run: Path, joined: Joined, places: Places) -> PaperFigure:
        from benchmark.records.naming import cells_of
        from benchmark.report.papers.overview_figures import forest_figure, heatmap_figure

        cohorts, concepts, width = _split(self.cohort), _split(self.concept), self.width or "column"
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
        return self._curve(run, joined, places)

    def _curve(self, run: Path, joined: Joined, places: Places) -> PaperFigure:
        from benchmark.progress import Reporter
        from benchmark.records.naming import find_cell
        from benchmark.records.resamples import name_of
        from benchmark.records.scored import scored
        from benchmark.report.papers.curve_figures import curve_figure
        from benchmark.run.cohorts import labelled

        [cohort], [concept] = _split(self.cohort), _split(self.concept)
        record = find_cell(run, self.model or "", cohort)
        measured = scored(record, concept, joined.files[name_of(record)], labelled(places, Reporter()))
        return curve_figure(
            "roc" if self.figure == "roc" else "pr", record, concept, measured, self.width or "column"
        )


def _split(given: Sequence[str]) -> list[str]:
    """Give names that are separated by commas or repeated."""
    return [name.strip() for one in given for name in one.split(",") if name.strip()]


def _write(files: Mapping[str, str | bytes], folder: Path) -> None:
    from benchmark.files import write_atomically

    for name, content in files.items():
        write_atomically(folder / name, content)
        tell(str(folder / name))


def _tripod(joined: Joined) -> Mapping[str, str]:
    from benchmark.report.papers.tripod import checklist
    from cohorts.catalogue import measured_cards

    return {"tripod.md": checklist(joined.plan, joined.records, measured_cards())}


def _hub(joined: Joined) -> Mapping[str, str]:
    from benchmark.report.papers.hub import hub_cards

    return hub_cards(joined.records)


def _croissant(joined: Joined) -> Mapping[str, str]:
    from benchmark.report.papers.croissant import croissants
    from cohorts.catalogue import measured_cards

    return croissants(joined.records, measured_cards())


_EXPORTS: Mapping[ExportName, Callable[[Joined], Mapping[str, str]]] = {
    "tripod": _tripod,
    "hf": _hub,
    "croissant": _croissant,
}

NOTHING = PaperOptions()
"""The page is wanted."""
