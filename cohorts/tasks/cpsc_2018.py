"""The nine classes of the China Physiological Signal Challenge 2018.

The Challenge ranked on a hidden test set that was never published, and no split of its 6,877 training records
came with them. Whoever prints numbers on them has made a split: MERL's is published as lists of records
(`cohorts.tasks.merl`), those of PTB-XL's authors are not.
"""

from __future__ import annotations

from cohorts.sources.cpsc_2018 import Cpsc2018
from cohorts.tasks.task import PublishedTask

MEANS = {
    "426783006": ("NORM",),
    "164889003": ("AF",),
    "270492004": ("IAVB",),
    "164909002": ("LBBB",),
    "59118001": ("RBBB",),
    "284470004": ("PAC",),
    "164884008": ("PVC",),
    "429622005": ("STD",),
    "164931005": ("STE",),
}
"""The SNOMED CT code that each class has in the Challenge 2021 tree -> the class, in the order of 2018."""

CLASSES = tuple(name for names in MEANS.values() for name in names)

TASKS = (
    PublishedTask(
        name="cpsc-nine",
        title="CPSC 2018, nine classes",
        cohort=Cpsc2018.card,
        means=MEANS,
        classes=CLASSES,
        citation="Liu et al., An open access database for evaluating the algorithms of electrocardiogram "
        "rhythm and morphology abnormality detection, Journal of Medical Imaging and Health Informatics "
        "8:1368, 2018, doi:10.1166/jmihi.2018.2442",
        one_fold=True,
        remark="The Challenge's test set is not public and its training set has no published split: all "
        "6,877 records are test records here, and the Challenge's own scores (F1) are of other records.",
    ),
)
