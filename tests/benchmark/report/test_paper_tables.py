"""Tables of the report for a paper: what the records say, full captions, and LaTeX that compiles."""

from __future__ import annotations

import re
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import get_args

import pytest

from benchmark.commands import papers as commands
from benchmark.exchange.joining import Joined, one_run
from benchmark.report.pairwise import compare_models
from benchmark.report.papers.board_tables import TableName, paper_tables
from benchmark.report.papers.typesetting import PaperTable, latex, render
from benchmark.report.text import interval, number, signed_interval
from cohorts.errors import UsageError
from tests.benchmark.measured_cells import SETTINGS, write_measured

NAMES: tuple[TableName, ...] = get_args(TableName)
OPTIONS = ("-draftmode", "-halt-on-error", "-interaction=nonstopmode", "-no-shell-escape")
"""As a draft: no font has to be drawn for a PDF that nobody looks at."""

HOSTILE = "a_b%&$#{}~^\\ \u03b1\u5fc3\u00e9\u0142\U0001f600" + "\"<|>`'--,,?` [x]*\u2212\u2265\u00b2"


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("run")
    write_measured(folder)
    return folder


@pytest.fixture(scope="module")
def joined(run: Path) -> Joined:
    return one_run(run)


def test_the_command_knows_every_table() -> None:
    assert get_args(commands.TableName) == NAMES


def test_an_average_over_one_concept_is_that_concept_with_its_interval(joined: Joined) -> None:
    """Its resamples are those of the concept, so value and interval are too."""
    record = joined.records[0]
    concepts = record.evaluation.macro.concepts
    assert len(concepts) > 1
    for name, metric in (("macro-auroc", "auroc"), ("macro-auprc", "auprc")):
        for concept in concepts:
            (made,) = paper_tables(name, joined, [record.cohort.id], concepts=[concept])
            own = interval(getattr(record.evaluation.concepts[concept], metric))
            assert any(cell.startswith(own) for row in made.rows for cell in row[1:]), (
                concept,
                own,
                made.rows,
            )


@pytest.mark.parametrize("name", NAMES)
def test_every_caption_says_n_positives_resamples_unit_and_seed(joined: Joined, name: TableName) -> None:
    made = paper_tables(name, joined)
    assert made
    for table in made:
        for part in (r"n = 160 records", r"\d+ positives|\d+ to \d+ positives", r"resamples of 140 patients"):
            assert re.search(part, table.caption), part
        assert f"{SETTINGS.resamples} resamples" in table.caption
        assert f"seed {SETTINGS.seed}" in table.caption
        assert {len(row) for row in table.rows} == {len(table.heads)}
        assert sum(width for _, width in table.groups) in (0, len(table.heads))
        marks = {int(at) for row in table.rows for cell in row for at in re.findall(r"\((\d+)\)", cell)}
        assert marks == set(range(1, len(table.notes) + 1))


def test_concepts_of_one_model_are_those_of_its_record(joined: Joined) -> None:
    made = paper_tables("concepts", joined, ["georgia"], "net")
    [table] = made
    [record] = [r for r in joined.records if (r.model.name, r.cohort.id) == ("net", "georgia")]
    assert table.groups == (("", 4), ("net (external)", 2))
    for row in table.rows:
        one = record.evaluation.concepts[row[0]]
        assert row[1:4] == (str(one.n), str(one.positives), number(one.prevalence))
        assert [cell.split(" (")[0] for cell in row[4:]] == [interval(one.auroc), interval(one.auprc)]


def test_differences_are_those_of_leadboard_compare(joined: Joined, run: Path) -> None:
    [table] = paper_tables("differences", joined, model="net")
    assert all("net" in row[:2] for row in table.rows)
    assert len(table.rows) == 4  # three others on Georgia, one of which under two protocols
    for first, second, cohort, concepts, auroc, p, holm, auprc, *of_auprc in table.rows:
        names = [re.sub(r"(.+) \((.+)\)", r"\1/\2", one) for one in (first, second)]
        one = compare_models(run, *names).cohorts[cohort]
        assert concepts == str(len(one.macro_concepts))
        assert (auroc, p, holm) == (signed_interval(one.auroc), number(one.auroc.p), number(one.auroc.p_holm))
        assert one.auprc is not None
        assert [auprc, *of_auprc] == [
            signed_interval(one.auprc),
            number(one.auprc.p),
            number(one.auprc.p_holm),
        ]


def test_label_efficiency_has_a_row_for_each_share(joined: Joined) -> None:
    auroc, auprc = paper_tables("label-efficiency", joined)
    for table, metric in ((auroc, "auroc"), (auprc, "auprc")):
        values = [getattr(r.evaluation.macro, metric) for r in joined.records if r.model.name == "encoder"]
        rows = [("encoder", "linear probe", f"{share} %") for share in (1, 100)]
        assert table.rows == tuple((*row, interval(one)) for row, one in zip(rows, values, strict=True))


def test_what_the_run_has_not_is_said(joined: Joined) -> None:
    with pytest.raises(UsageError, match="nothing for the table 'label-efficiency'"):
        paper_tables("label-efficiency", joined, ["ptb-xl"])
    with pytest.raises(UsageError, match="nothing for the table 'concepts'"):
        paper_tables("concepts", joined, ["ptb-xl"], "reader")


def test_groups_of_columns_are_named_in_every_form() -> None:
    table = PaperTable(
        "c", ("Concept", "AUROC", "AUPRC"), (("AF", "1", "2 (1)"),), ("few",), (("", 1), ("n_1", 2))
    )
    assert r"\multicolumn{2}{c}{n\_1} \\" in render(table, "latex")
    assert r"\cmidrule(lr){2-3}" in render(table, "latex")
    assert "(1) few" in render(table, "latex")
    assert "| Concept | n\\_1: AUROC | n\\_1: AUPRC |" in render(table, "markdown")
    assert render(table, "csv").splitlines() == [
        "# c",
        "# (1) few",
        "Concept,n_1: AUROC,n_1: AUPRC",
        "AF,1,2 (1)",
    ]


def test_escaped_text_has_no_sign_that_latex_obeys_or_cannot_set() -> None:
    plain = re.sub(r"\\[a-zA-Z]+|\\[$&#%_{}]", "", latex(HOSTILE))
    assert not re.search(r"[\\$#%&_~^<>|\"`]", plain)
    assert "U+5FC3" in plain
    assert "--" not in plain
    assert ",," not in plain
    depth = 0
    for sign in plain:
        depth += (sign == "{") - (sign == "}")
        assert depth >= 0
    assert depth == 0


def hostile(table: PaperTable) -> PaperTable:
    """The same table with names that LaTeX would obey or stop at."""
    return replace(
        table,
        caption=f"{table.caption} {HOSTILE}",
        heads=(HOSTILE, *table.heads[1:]),
        rows=(*((HOSTILE, *row[1:-1], f"[1] {row[-1]}") for row in table.rows), ("*",) * len(table.heads)),
        notes=(*table.notes, HOSTILE),
        groups=tuple((name and HOSTILE, width) for name, width in table.groups),
    )


def test_every_table_compiles_with_hostile_names(joined: Joined, tmp_path: Path) -> None:
    if shutil.which("pdflatex") is None:
        pytest.skip("needs pdflatex on the PATH")
    tables = [table for name in NAMES for table in paper_tables(name, joined)]
    tables += [hostile(table) for table in tables]
    body = "\n".join(f"{render(table, 'latex')}\\clearpage" for table in tables)
    packages = r"\usepackage{booktabs}\usepackage[T1]{fontenc}\usepackage{textcomp}"
    document = rf"\documentclass{{article}}{packages}\begin{{document}}{body}\end{{document}}"
    (tmp_path / "all.tex").write_text(document)
    done = subprocess.run(
        # As a draft: no font has to be drawn for a PDF that nobody looks at.
        [
            "pdflatex",
            "-draftmode",
            "-halt-on-error",
            "-interaction=nonstopmode",
            "-no-shell-escape",
            "all.tex",
        ],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        errors="replace",
        check=False,
    )
    assert done.returncode == 0, done.stdout[-2000:]
    assert f"[{len(tables)}]" in done.stdout
