"""`leadboard report` for a paper: which options go together, and what is written where."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmark.commands.papers import PaperOptions
from benchmark.commands.reporting import report
from cohorts.errors import UsageError
from tests.benchmark.report.report_factory import concept, record, write_run


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of one model on two cohorts."""
    cells = [record("net", "ptb-xl", relation="internal"), record("net", "georgia")]
    return write_run(tmp_path_factory.mktemp("run"), cells)


def test_columns_are_chosen_by_commas_or_by_repeating(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    printed = []
    for cohort in (("georgia,ptb-xl",), ("georgia", "ptb-xl")):
        assert report(run, cohort=cohort, paper=PaperOptions(table="macro-auroc", form="csv")) == 0
        printed.append(capsys.readouterr().out)
    assert printed[0] == printed[1]
    assert "\nModel,georgia,ptb-xl\n" in printed[0]


def test_a_table_is_written_where_it_is_asked_for(
    run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    report(run, paper=PaperOptions(table="macro-auroc"))
    printed = capsys.readouterr().out
    assert "so they do not compare models" not in printed, "one model, one set of concepts on each cohort"
    report(run, out=tmp_path, paper=PaperOptions(table="macro-auroc"))
    assert capsys.readouterr().out.strip() == str(tmp_path / "macro-auroc.tex")
    assert (tmp_path / "macro-auroc.tex").read_text().strip() == printed.strip()


@pytest.mark.parametrize(
    "asked", [PaperOptions(table="macro-auroc"), PaperOptions(figure="forest", form="svg")]
)
def test_averages_over_other_concepts_are_said_not_to_compare(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], asked: PaperOptions
) -> None:
    cells = [
        record("net", "georgia"),
        record("small", "georgia", {"AF": 0.9}),
        record("net", "sph"),
        record("small", "sph"),
    ]
    report(write_run(tmp_path, cells), paper=asked)
    said = capsys.readouterr().out
    assert "On georgia macro averages are not over the same concepts, so they do not compare models." in said
    assert "On sph" not in said


def test_averages_over_chosen_concepts_compare_models(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    few = concept(0.7, positives=3)
    cells = [
        record("net", "georgia", {"AF": 0.9, "LBBB": 0.8, "AFL": 0.6, "SB": 0.5}),
        record("small", "georgia", {"AF": 0.7, "LBBB": 0.6, "AFL": few}),
        record("none", "georgia", {"SB": 0.5}),
    ]
    run = write_run(tmp_path, cells)
    asked = PaperOptions(table="macro-auroc", form="csv")
    report(run, concept=("AF,LBBB", "AFL"), paper=asked)
    caption, _, *rows = capsys.readouterr().out.splitlines()
    assert "Averages are over AF, LBBB, AFL, on each cohort over those with enough" in caption
    assert "do not compare" not in caption
    assert [row.split(",")[1].strip('"').split(" ")[0] for row in rows] == ["0.850", "0.650", "–"]
    with pytest.raises(UsageError, match="no result for 'VT'"):
        report(run, concept=("VT",), paper=asked)
    with pytest.raises(UsageError, match="is not over chosen concepts"):
        report(run, concept=("AF",), paper=PaperOptions(table="concepts"))


def test_the_checklist_lies_beside_the_report(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert report(run, paper=PaperOptions(export="tripod")) == 0
    assert capsys.readouterr().out.strip() == str(run / "tripod.md")
    assert (run / "tripod.md").read_text().startswith("# TRIPOD+AI checklist")


@pytest.mark.parametrize(
    ("asked", "why"),
    [
        (PaperOptions(form="csv"), "--format belongs to --table"),
        (PaperOptions(table="macro-auroc", export="tripod"), "two things"),
        (PaperOptions(table="macro-auroc", form="pdf"), "comes as latex, markdown, csv, not as pdf"),
        (PaperOptions(figure="roc", model="net"), "of one model, cohort and concept"),
        (PaperOptions(figure="forest", model="net"), "of all models"),
        (PaperOptions(figure="heatmap"), "name it with --model"),
    ],
)
def test_options_that_do_not_go_together_are_refused(run: Path, asked: PaperOptions, why: str) -> None:
    with pytest.raises(UsageError, match=why):
        report(run, paper=asked)


def test_a_table_is_of_one_run(run: Path) -> None:
    with pytest.raises(UsageError, match="of one run"):
        report(run, run, paper=PaperOptions(table="macro-auprc"))


def test_cohorts_and_concepts_go_where_they_mean_something(run: Path) -> None:
    with pytest.raises(UsageError, match="--cohort belongs to --table or --figure"):
        report(run, cohort=("georgia",), paper=PaperOptions(export="tripod"))
    with pytest.raises(UsageError, match="--concept belongs to --table or --figure"):
        report(run, concept=("AF",), paper=PaperOptions(export="tripod"))
    with pytest.raises(UsageError, match="has an AUROC of such a concept"):
        report(run, concept=("PVC",), paper=PaperOptions(figure="heatmap", model="net"))
    with pytest.raises(UsageError, match="--concept-set is of a ranking"):
        report(run, concept_set="rhythm", paper=PaperOptions(table="macro-auroc"))
