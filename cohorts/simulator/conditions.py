"""What each condition does to a heart, and which conditions go together.

The ids are those of the concepts of the ontology, or finer (a territory of infarction). A severity of
0 is a borderline case, 1 a marked one: mild cases overlap with healthy hearts, as they do in clinics.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from cohorts.simulator import electrical, muscle
from cohorts.simulator.heart import Heart

Effect = Callable[[Heart, float, np.random.Generator], None]


@dataclass(frozen=True)
class Condition:
    """One row of the table.

    Attributes
    ----------
    id
        Its name everywhere in the simulator.
    effect
        Changes a heart, given a severity from 0 to 1.
    excludes
        Conditions and groups that cannot be present with it.
    group
        Conditions of one group exclude each other.
    ageing
        Change of the log odds per decade of age.
    chronic
        Whether it stays from one recording of a patient to the next.
    """

    id: str
    effect: Effect
    group: str
    excludes: tuple[str, ...] = ()
    ageing: float = 0.0
    chronic: bool = False


_NO_SINUS = ("AF", "AFL", "SVT", "PR", "IIIAVB")
_WIDE = ("LBBB", "WPW", "PR")

# Earlier rows win where two exclude each other, and act first on the heart.
TABLE = (
    Condition("PR", electrical.paced, "rhythm", (), 0.6, chronic=True),
    Condition("IIIAVB", electrical.complete_block, "rhythm", ("ventricular",), 0.5),
    Condition("AF", electrical.fibrillation, "rhythm", (), 0.6, chronic=True),
    Condition("AFL", electrical.flutter, "rhythm", (), 0.4),
    Condition("SVT", electrical.reentry, "rhythm", (), -0.1),
    Condition("STach", electrical.tachycardia, "rhythm", (), -0.15),
    Condition("SB", electrical.bradycardia, "rhythm", (), 0.05),
    Condition("SA", electrical.sinus_arrhythmia, "rhythm", (), -0.5),
    Condition("MoI", electrical.wenckebach, "av", (*_NO_SINUS, "STach"), 0.3),
    Condition("MoII", electrical.mobitz, "av", (*_NO_SINUS, "STach"), 0.4),
    Condition("IAVB", electrical.long_pr, "av", _NO_SINUS, 0.4, chronic=True),
    Condition("LBBB", electrical.left_bundle, "ventricular", ("PR",), 0.4, chronic=True),
    Condition("RBBB", electrical.right_bundle, "ventricular", ("PR",), 0.35, chronic=True),
    Condition("WPW", electrical.preexcitation, "ventricular", ("PR", "AF", "IIIAVB", "av"), -0.2, True),
    Condition("ILBBB", electrical.incomplete_left_bundle, "ventricular", ("PR",), 0.2, chronic=True),
    Condition("IRBBB", electrical.incomplete_right_bundle, "ventricular", ("PR",), -0.1, chronic=True),
    Condition("NSIVCB", electrical.intraventricular, "ventricular", ("PR",), 0.2, chronic=True),
    Condition("LAnFB", electrical.left_anterior, "axis", (*_WIDE, "ILBBB"), 0.4, chronic=True),
    Condition("LPFB", electrical.left_posterior, "axis", (*_WIDE, "ILBBB"), 0.2, chronic=True),
    Condition("LAD", electrical.left_axis, "axis", (*_WIDE, "ILBBB"), 0.3, chronic=True),
    Condition("RVH", muscle.right_hypertrophy, "axis", (*_WIDE, "RBBB", "ILBBB"), 0.0, chronic=True),
    Condition("RAD", electrical.right_axis, "axis", (*_WIDE, "ILBBB"), -0.4, chronic=True),
    Condition("PAC", electrical.atrial_ectopy, "atrial ectopy", (*_NO_SINUS, "av", "STach"), 0.3),
    Condition(
        "PVC", electrical.ventricular_ectopy, "ectopy", ("AFL", "SVT", "PR", "IIIAVB", "MoI", "MoII"), 0.25
    ),
    Condition("IMI", muscle.inferior_infarct, "infarct", (*_WIDE, "LAnFB", "RVH"), 0.35, chronic=True),
    Condition("ASMI", muscle.anteroseptal_infarct, "infarct", (*_WIDE, "ILBBB", "RVH"), 0.35, chronic=True),
    Condition("AMI", muscle.anterior_infarct, "infarct", (*_WIDE, "ILBBB", "RVH"), 0.35, chronic=True),
    Condition("LMI", muscle.lateral_infarct, "infarct", (*_WIDE, "RVH"), 0.35, chronic=True),
    Condition("QAb", muscle.abnormal_q, "infarct", (*_WIDE, "LAnFB", "RVH"), 0.2, chronic=True),
    Condition("PRWP", muscle.poor_progression, "infarct", (*_WIDE, "ILBBB", "RVH"), 0.2, chronic=True),
    Condition("LVH", muscle.left_hypertrophy, "voltage", (*_WIDE, "RVH"), 0.3, chronic=True),
    Condition("LVHV", muscle.high_voltage, "voltage", (*_WIDE, "RVH"), -0.2, chronic=True),
    Condition("STEI", muscle.inferior_injury, "st", (*_WIDE, "LVH"), 0.2),
    Condition("STEA", muscle.anterior_injury, "st", (*_WIDE, "LVH"), 0.2),
    Condition("STEL", muscle.lateral_injury, "st", (*_WIDE, "LVH"), 0.2),
    Condition("STD", muscle.st_depression, "st", _WIDE, 0.3),
    Condition(
        "ERe", muscle.early_repolarisation, "st", (*_WIDE, "LVH", "RBBB", "infarct"), -0.6, chronic=True
    ),
    Condition("TInv", muscle.t_inversion, "t", (*_WIDE, "STEI", "STEA", "STEL", "ERe"), 0.15),
    Condition("TAb", muscle.t_flattening, "t", (*_WIDE, "STEI", "STEA", "STEL", "ERe"), 0.2),
    Condition("NSSTTA", muscle.unspecific_st_t, "t", (*_WIDE, "st"), 0.25),
    Condition("LQT", muscle.long_qt, "qt", (*_WIDE, "AF", "AFL", "SVT", "STach"), 0.2),
    Condition("LAE", muscle.left_atrium, "atrial size", _NO_SINUS, 0.25, chronic=True),
    Condition("RAE", muscle.right_atrium, "atrial size", _NO_SINUS, 0.0, chronic=True),
    Condition("LQRSV", muscle.low_voltage, "voltage", ("LBBB", "WPW", "PR", "RVH"), 0.2, chronic=True),
)

CONDITIONS = {condition.id: condition for condition in TABLE}

CONFUSED = {
    "IRBBB": "RBBB",
    "RBBB": "IRBBB",
    "ILBBB": "LBBB",
    "LBBB": "ILBBB",
    "AF": "AFL",
    "AFL": "AF",
    "PAC": "SA",
    "LVH": "LVHV",
    "LVHV": "LVH",
    "STD": "NSSTTA",
    "NSSTTA": "STD",
    "TInv": "TAb",
    "TAb": "NSSTTA",
    "QAb": "IMI",
    "ASMI": "PRWP",
    "PRWP": "ASMI",
    "AMI": "ASMI",
    "STEA": "ERe",
    "ERe": "STEA",
    "MoI": "MoII",
    "LAnFB": "LAD",
    "NSIVCB": "ILBBB",
    "SVT": "STach",
}
"""What a reader writes when he takes one condition for another."""


def conflicts(one: str, other: str) -> bool:
    """Whether two conditions cannot be present together."""
    a, b = CONDITIONS[one], CONDITIONS[other]
    return one != other and (
        a.group == b.group
        or b.id in a.excludes
        or b.group in a.excludes
        or a.id in b.excludes
        or a.group in b.excludes
    )


def apply(heart: Heart, present: dict[str, float], now: np.random.Generator) -> None:
    """Change a heart by its conditions.

    Parameters
    ----------
    present
        Severity from 0 to 1 by condition id.
    """
    for condition in TABLE:
        if condition.id in present:
            condition.effect(heart, present[condition.id], now)
