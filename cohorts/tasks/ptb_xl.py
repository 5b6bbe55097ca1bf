"""PTB-XL's six tasks: all 71 statements, the diagnostic ones at three levels, form and rhythm.

The authors' code looks at which statements a record has, never at their likelihood: one of 15, or of 0 (none
given), counts like one of 100. A record with no class of a task is left out of it. Folds 1 to 8 are for
training, 9 for validation, 10 for the test. Their published numbers are of the release's version 1.0.1 with
21,837 records, 38 of which were removed since.
"""

from __future__ import annotations

import csv
import re
from pathlib import Path

from cohorts.sources.ptb_xl import PtbXl
from cohorts.tasks.task import PublishedTask

CITATION = (
    "Strodthoff et al., Deep learning for ECG analysis: benchmarks and insights from PTB-XL, IEEE Journal of "
    "Biomedical and Health Informatics 25:1519, 2021, doi:10.1109/JBHI.2020.3022989"
)
REMARK = (
    "The published numbers are of version 1.0.1 (21,837 records), and of macro averages over all classes."
)

TABLE = Path(__file__).with_name("ptb_xl_statements.csv")
"""The statements, and the flags and classes that ``scp_statements.csv`` of the release gives each."""


def class_name(kind: str, name: str) -> str:
    """Give the name of a class: the authors' own behind PTBXL_, SCP_ or SUB_ and without punctuation."""
    prefix = {"super": "PTBXL_", "sub": "PTBXL_SUB_"}.get(kind, "PTBXL_SCP_")
    return prefix + re.sub(r"[^A-Za-z0-9]+", "_", name)


def _task(kind: str, title: str, column: str, flag: str) -> PublishedTask:
    """Make one task: the class in ``column`` of every statement that has ``flag``."""
    with TABLE.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    means = {row["code"]: (class_name(kind, row[column]),) for row in rows if not flag or row[flag] == "1"}
    return PublishedTask(
        name=f"ptbxl-{kind}",
        title=f"PTB-XL, {title}",
        cohort=PtbXl.card,
        means=means,
        classes=tuple(sorted({name for names in means.values() for name in names})),
        citation=CITATION,
        remark=REMARK,
    )


TASKS = (
    _task("all", "all 71 statements", "code", ""),
    _task("diagnostic", "44 diagnostic statements", "code", "diagnostic"),
    _task("sub", "23 diagnostic subclasses", "subclass", "diagnostic"),
    _task("super", "5 diagnostic superclasses", "class", "diagnostic"),
    _task("form", "19 form statements", "code", "form"),
    _task("rhythm", "12 rhythm statements", "code", "rhythm"),
)
