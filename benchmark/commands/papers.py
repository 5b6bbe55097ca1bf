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
    from benchmark.exchange.joining import Joined

TableName = Literal["macro-auroc", "macro-auprc"]
TableFormat = Literal["latex", "markdown", "csv"]
ExportName = Literal["tripod", "hf"]


@Parameter(name="*")
@dataclass(frozen=True, slots=True)
class PaperOptions:
    """What is taken from one run into a paper.

    Attributes
    ----------
    table
        Print one table: macro-auroc or macro-auprc.
    export
        Write files for others: tripod, the TRIPOD+AI checklist as far as the run can fill it in; hf, a card
        for a model hub for each model.
    cohort
        Columns of a table, separated by commas or repeated. All of the run if not given.
    form
        Of a table, LaTeX if not given, which needs the package booktabs.
    """

    table: TableName | None = None
    export: ExportName | None = None
    cohort: Repeated = ()
    form: Annotated[TableFormat | None, Parameter(name="--format")] = None

    def asked(self) -> bool:
        """Whether anything is wanted.

        Raises
        ------
        UsageError
            If an option is given without what it belongs to.
        """
        if self.table is not None or self.export is not None:
            return True
        given = [_OPTIONS.get(one.name, one.name) for one in fields(self) if getattr(self, one.name)]
        if given:
            raise UsageError(f"--{given[0]} belongs to --table; give that, or leave it out.")
        return False

    def give(self, folders: Sequence[Path], out: Path | None) -> int:
        """Print or write what is wanted of a run, and return the exit status."""
        from benchmark.exchange.joining import one_run

        if self.table is not None and self.export is not None:
            raise UsageError("--table and --export are two things; ask for one of them.")
        option = "--table" if self.table is not None else "--export"
        if len(folders) != 1:
            raise UsageError(f"{option} is of one run; name one folder.")
        if self.table is not None:
            self._print_table(one_run(folders[0]))
        else:
            self._write(one_run(folders[0]), out or folders[0])
        return 0

    def _print_table(self, joined: Joined) -> None:
        from benchmark.report.papers.tables import macro_table, render

        metric: Literal["auroc", "auprc"] = "auroc" if self.table == "macro-auroc" else "auprc"
        made = macro_table(joined.records, metric, self._cohorts())
        tell(*render(made, self.form or "latex").splitlines())

    def _cohorts(self) -> list[str]:
        return [name.strip() for given in self.cohort for name in given.split(",") if name.strip()]

    def _write(self, joined: Joined, folder: Path) -> None:
        from benchmark.files import write_atomically

        if self.cohort or self.form:
            raise UsageError("--cohort and --format do not belong to --export; leave them out.")
        for name, content in _EXPORTS[self.export or "tripod"](joined).items():
            write_atomically(folder / name, content)
            tell(str(folder / name))


_OPTIONS = {"form": "format"}
"""Fields that are named otherwise on the command line."""


def _tripod(joined: Joined) -> Mapping[str, str]:
    from benchmark.report.papers.tripod import checklist
    from cohorts.catalogue import measured_cards

    return {"tripod.md": checklist(joined.plan, joined.records, measured_cards())}


def _hub(joined: Joined) -> Mapping[str, str]:
    from benchmark.report.papers.hub import hub_cards

    return hub_cards(joined.records)


_EXPORTS: Mapping[ExportName, Callable[[Joined], Mapping[str, str]]] = {"tripod": _tripod, "hf": _hub}

NOTHING = PaperOptions()
"""The page is wanted."""
