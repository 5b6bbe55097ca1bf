"""EchoNext: arrays of z-scores by split, and a table of what an echocardiogram found.

An echo value that was not measured makes its flag 0, as in the release: a 0 may mean "never measured".
Validation and test hold the latest recording of a patient; the earlier ones are in no split.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import numpy.typing as npt

from cohorts.simulator.drawing import twelve_leads
from cohorts.simulator.recordings import Simulated
from cohorts.sources.echonext import COUNT, DEVIATION, HIGHEST, LOWEST, MEAN

SPLITS = ("train", "val", "test", "no_split")

# Condition that stands behind each valve or pressure finding, and how often it does.
_VALVES = {
    "aortic_stenosis": {"LVH": 0.35},
    "aortic_regurgitation": {"LVH": 0.15},
    "mitral_regurgitation": {"AF": 0.3, "LAE": 0.3, "IMI": 0.2},
    "tricuspid_regurgitation": {"AF": 0.25, "RVH": 0.6, "PR": 0.25},
    "pulmonary_regurgitation": {"RVH": 0.25},
}
_SEVERITIES = ("presumed none", "none", "mild", "moderate", "severe")
_WEAKENING = {"LBBB": 15, "ASMI": 14, "AMI": 18, "IMI": 9, "PR": 10, "AF": 6, "PVC": 4, "NSSTTA": 2}
_CONTEXT = ("ventricular_rate", "atrial_rate", "pr_interval", "qrs_duration", "qt_corrected")
_FLAGS = (
    "lvef_lte_45_flag",
    "lvwt_gte_13_flag",
    *(f"{valve}_moderate_or_greater_flag" for valve in _VALVES),
    "rv_systolic_dysfunction_moderate_or_greater_flag",
    "pericardial_effusion_moderate_large_flag",
    "pasp_gte_45_flag",
    "tr_max_gte_32_flag",
    "shd_moderate_or_greater_flag",
)
_VALUES = (
    "lvef_value",
    "ivs_measurement",
    "lvpw_measurement",
    *(f"{valve}_value" for valve in _VALVES),
    "rv_systolic_function_value",
    "pericardial_effusion_value",
    "pasp_value",
    "tr_max_velocity_value",
)


def write(folder: Path, recordings: Iterable[Simulated]) -> None:
    """Write the release."""
    found = list(recordings)
    splits = _splits(found)
    rows = [_row(recording, split) for recording, split in zip(found, splits, strict=True)]
    for split in SPLITS:
        chosen = [position for position, name in enumerate(splits) if name == split]
        waveforms = np.zeros((len(chosen), 1, 2500, 12))
        for row, position in enumerate(chosen):
            waveforms[row, 0] = _z_scores(found[position])
        np.save(folder / f"EchoNext_{split}_waveforms.npy", waveforms)
        tabular = np.array([_tabular(rows[position]) for position in chosen]).reshape(len(chosen), 7)
        np.save(folder / f"EchoNext_{split}_tabular_features.npy", tabular)
    with (folder / "echonext_metadata_100k.csv").open("w", encoding="utf-8", newline="") as file:
        table = csv.DictWriter(file, list(rows[0]), lineterminator="\n")
        table.writeheader()
        table.writerows(rows)


def _splits(found: list[Simulated]) -> list[str]:
    """Split of every recording; only the latest one of a validation or test patient is in the split."""
    latest = {recording.patient: recording.number for recording in found}
    splits = []
    for recording in found:
        name = "train" if recording.fold <= 7 else "val" if recording.fold == 8 else "test"
        old = name != "train" and latest[recording.patient] != recording.number
        splits.append("no_split" if old else name)
    return splits


def _z_scores(recording: Simulated) -> npt.NDArray[np.float64]:
    """Waveform ``[2500, 12]``: baseline removed, clipped, standardised as in the release."""
    counts = twelve_leads(recording.signal).astype(np.float64).T / COUNT
    counts -= np.median(counts, axis=0)
    return np.asarray(np.round((np.clip(counts, LOWEST, HIGHEST) - MEAN) / DEVIATION, 4))


def _row(recording: Simulated, split: str) -> dict[str, object]:
    """One row of the table."""
    heart, random = recording.heart, recording.random
    sinus = heart.rhythm.kind == "sinus" and not heart.fibrillation
    rate = round(heart.rhythm.ventricular_rate)
    row: dict[str, object] = {
        "ecg_key": 500_000 + 17 * recording.number,
        "patient_key": 90_000 + 7 * recording.patient,
        "split": split,
        "age_at_ecg": min(int(recording.age), 90),
        "sex": "Female" if recording.female else "Male",
        "acquisition_year": int(random.integers(2008, 2023)),
        "location_setting": str(random.choice(["inpatient", "outpatient", "emergency", "procedural"])),
        "race_ethnicity": "Unknown",
        "most_recent_ecg": split != "no_split",
        "ventricular_rate": rate,
        "atrial_rate": rate if sinus else "",
        "pr_interval": round(1000 * heart.pr) if sinus else "",
        "qrs_duration": round(1000 * heart.qrs.duration),
        "qt_corrected": round(1000 * heart.qtc),
    }
    values = _echo(recording)
    row |= {name: "" if values[name] is None else values[name] for name in _VALUES}
    return row | _flags(values)


def _echo(recording: Simulated) -> dict[str, float | str | None]:
    """Draw an echocardiogram that goes with the conditions; None was not measured."""
    random, present = recording.random, recording.present
    loss = sum(points * (0.5 + present[name]) for name, points in _WEAKENING.items() if name in present)
    wall = 0.95 + 0.5 * present.get("LVH", -0.1) + 0.2 * ("LVH" in present)
    pressure = 28 + 22 * present.get("RVH", 0.0) + 10 * ("AF" in present) + 12 * ("RVH" in present)
    values: dict[str, float | str | None] = {
        "lvef_value": round(float(np.clip(random.normal(61 - loss, 7), 10, 78)), 1),
        "ivs_measurement": round(float(random.normal(wall, 0.13)), 2),
        "lvpw_measurement": round(float(random.normal(wall - 0.05, 0.13)), 2),
        "pasp_value": round(float(random.normal(pressure, 8)), 1),
        "tr_max_velocity_value": round(float(random.normal(2.3 + (pressure - 28) / 35, 0.3)), 2),
    }
    for valve, behind in _VALVES.items():
        chance = 0.03 + max((share for name, share in behind.items() if name in present), default=0.0)
        level = random.integers(3, 5) if random.random() < chance else random.integers(0, 3)
        values[f"{valve}_value"] = _SEVERITIES[level]
    weak = loss > 25 or "RVH" in present
    functions = ("normal", "mildly_reduced", "moderately_reduced", "severely_reduced")
    values["rv_systolic_function_value"] = functions[int(random.integers(1, 4)) if weak else 0]
    effusion = random.integers(2, 5) if random.random() < 0.03 + 0.3 * ("LQRSV" in present) else 0
    values["pericardial_effusion_value"] = ("none", "trace", "small", "moderate", "large")[effusion]
    unmeasured = {"tr_max_velocity_value": 0.55, "pasp_value": 0.43, "pericardial_effusion_value": 0.12}
    for name in _VALUES:
        if random.random() < unmeasured.get(name, 0.09):
            values[name] = None
    return values


def _flags(values: dict[str, float | str | None]) -> dict[str, int]:
    """Set the flags of the release; what was not measured is 0."""

    def at_least(name: str, limit: float) -> bool:
        value = values[name]
        return isinstance(value, float) and value >= limit

    ejection = values["lvef_value"]
    walls = at_least("ivs_measurement", 1.3) or at_least("lvpw_measurement", 1.3)
    both = values["ivs_measurement"] is not None and values["lvpw_measurement"] is not None
    positive = [
        isinstance(ejection, float) and ejection <= 45,
        walls and both,
        *(values[f"{valve}_value"] in ("moderate", "severe") for valve in _VALVES),
        values["rv_systolic_function_value"] in ("moderately_reduced", "severely_reduced"),
        values["pericardial_effusion_value"] in ("moderate", "large"),
        at_least("pasp_value", 45),
        at_least("tr_max_velocity_value", 3.2),
    ]
    return dict(zip(_FLAGS, map(int, [*positive, any(positive)]), strict=True))


def _tabular(row: dict[str, object]) -> list[float]:
    """Features in the order of the arrays, which is not that of the release's read-me: age is second."""
    names = ("age_at_ecg", *_CONTEXT)
    typical = {"age_at_ecg": (64, 16), "ventricular_rate": (78, 18), "atrial_rate": (78, 18)}
    typical |= {"pr_interval": (165, 30), "qrs_duration": (98, 22), "qt_corrected": (430, 30)}
    scores = []
    for name in names:
        mean, deviation = typical[name]
        value = row[name]
        scores.append((value - mean) / deviation if isinstance(value, int) else 0.0)
    return [float(row["sex"] == "Male"), *scores]
