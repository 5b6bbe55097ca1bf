"""MERL's two tasks beside PTB-XL's: CPSC 2018, and Chapman-Shaoxing with Ningbo ("CSN").

Both have random splits that nothing but the authors' lists of records can give again, so these have to be put
below the data root. MERL's published code looks for the acronym of a class anywhere in the acronyms of a
record, joined by commas, and its published labels are so: "1AVB" is also AVB and VB, "AFIB" also AF (atrial
flutter), "LVQRSAL" also SA, and "STE", "STTC" and "STDD" also ST (sinus tachycardia). The published tables
are of such labels, and so is this task. Sinus bradycardia (SB) is none of the published classes.
"""

from __future__ import annotations

import csv
from pathlib import Path

from cohorts.sources.cpsc_2018 import Cpsc2018
from cohorts.sources.ecg_arrhythmia import EcgArrhythmia
from cohorts.tasks.cpsc_2018 import CLASSES, MEANS
from cohorts.tasks.task import PublishedTask

CITATION = (
    "Liu et al., Zero-shot ECG classification with multimodal learning and test-time clinical knowledge "
    "enhancement, ICML 2024, arXiv:2403.06659; lists of records in finetune/data_split of "
    "https://github.com/cheliu-computation/MERL-ICML2024"
)
FOLDER = "merl-splits"

TABLE = Path(__file__).with_name("merl_acronyms.csv")
"""SNOMED CT code -> the first acronym that the release's ConditionNames_SNOMED-CT.csv gives it."""

CSN = (
    "AQW", "UW", "SR", "WPW", "2AVB", "AT", "VB", "ARS", "STTC", "SA", "STE", "VPB", "TWO", "STTU",
    "ALS", "APB", "2AVB1", "PRIE", "CCR", "CR", "AF", "AVB", "QTIE", "LBBB", "VEB", "SVT", "RBBB", "1AVB",
    "STDD", "MI", "AFIB", "TWC", "PWC", "ERV", "RVH", "LVH", "ST", "JEB",
)  # fmt: skip
"""The 38 classes, in the order of the authors' columns."""


def _csn_means() -> dict[str, tuple[str, ...]]:
    """Give every code the classes whose acronyms occur anywhere in its own."""
    with TABLE.open(encoding="utf-8", newline="") as file:
        acronyms = {row["code"]: row["acronym"] for row in csv.DictReader(file)}
    return {
        code: tuple(f"CSN_{name}" for name in CSN if name in acronym) for code, acronym in acronyms.items()
    }


TASKS = (
    PublishedTask(
        name="merl-csn",
        title="Chapman-Shaoxing and Ningbo as MERL splits them, 38 classes",
        cohort=EcgArrhythmia.card,
        means=_csn_means(),
        classes=tuple(f"CSN_{name}" for name in CSN),
        citation=CITATION,
        keeps_unlabelled=True,  # the lists alone decide who is in
        splits=("chapman_train.csv", "chapman_val.csv", "chapman_test.csv"),
        folder=FOLDER,
        remark="Classes are found by parts of acronyms, as in the authors' labels: AFIB is AF too.",
    ),
    PublishedTask(
        name="merl-cpsc",
        title="CPSC 2018 as MERL splits it, nine classes",
        cohort=Cpsc2018.card,
        means=MEANS,
        classes=CLASSES,
        citation=CITATION,
        keeps_unlabelled=True,
        splits=("icbeb_train.csv", "icbeb_val.csv", "icbeb_test.csv"),
        folder=FOLDER,
    ),
)
