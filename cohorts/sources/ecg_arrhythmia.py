"""Chapman-Shaoxing and Ningbo as PhysioNet publishes them: 45,152 recordings of 10 s in one tree."""

from __future__ import annotations

from cohorts.cohort import CohortCard
from cohorts.families.challenge import ChallengeCohort
from cohorts.release import Release


class EcgArrhythmia(ChallengeCohort):
    """The recordings of two hospitals, with headers like those of the Challenge tree.

    JS00001 to JS10646 are Chapman-Shaoxing's, the others Ningbo's; the two were annotated differently.
    Two headers of the release, JS01052 and JS23074, lack a line break and are quarantined.
    """

    card = CohortCard(
        id="ecg-arrhythmia",
        name="Chapman-Shaoxing and Ningbo",
        version="1.0.0",
        licence="CC-BY-4.0",
        url="https://physionet.org/content/ecg-arrhythmia/1.0.0/",
        citation="Zheng et al., A large scale 12-lead electrocardiogram database for arrhythmia study "
        "(version 1.0.0), PhysioNet, 2022, doi:10.13026/wgex-er52",
        vocabulary="snomed",
        folder="ecg-arrhythmia",
        records=45_152,
        sampling_rates=(500.0,),
        country="China",
        overlaps=("chapman-shaoxing", "ningbo"),
    )
    release = Release(size=5_450_000_000, open_data=True)  # 5.1 GiB on its page
