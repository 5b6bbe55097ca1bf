"""CODE's six abnormalities on its test set. The network's own training data are not public."""

from __future__ import annotations

from cohorts.families.code import CITATION, CLASSES
from cohorts.sources.code_test import CodeTest
from cohorts.tasks.task import PublishedTask

_CONCEPTS = dict(zip(CLASSES, ("IAVB", "RBBB", "LBBB", "SB", "AF", "STach"), strict=True))

TASKS = (
    PublishedTask(
        name="code-six",
        title="CODE-test, six abnormalities",
        cohort=CodeTest.card,
        means={code: (concept,) for code, concept in _CONCEPTS.items()},
        classes=tuple(_CONCEPTS.values()),
        citation=CITATION,
        keeps_unlabelled=True,
        one_fold=True,
        remark="All 827 records are the test set. The authors trained on two million records that are not "
        "public, so there is no training fold.",
    ),
)
