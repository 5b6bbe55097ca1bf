"""Every condition changes what it should, measured by detectors that know nothing of the simulator."""

from __future__ import annotations

from collections.abc import Callable
from itertools import combinations
from typing import Any

import numpy as np
import pytest

from cohorts.ontology.ontology import load_ontology
from cohorts.recording import STANDARD_LEADS
from cohorts.simulator.conditions import CONDITIONS, CONFUSED, TABLE, apply, conflicts
from cohorts.simulator.heart import normal_heart
from cohorts.simulator.noise import Noise

PATIENTS = range(4)
SEVERITIES = (0.2, 0.9)
Make = Callable[..., Any]

# Condition -> what must hold. ``m`` has the condition, ``n`` is the same heart without it.
CHANGES: dict[str, Callable[[Any, Any], bool]] = {
    "SB": lambda m, n: m.heart_rate < 60,
    "STach": lambda m, n: m.heart_rate > 100,
    "SVT": lambda m, n: m.heart_rate > 140 and m.irregularity < 0.02,
    "SA": lambda m, n: m.irregularity > 0.06 > n.irregularity and m.p_wave()[0] > 0.1,
    "IAVB": lambda m, n: m.p_wave()[1] > 0.2 > n.p_wave(longest=0.25)[1],
    "LBBB": lambda m, n: m.qrs_duration > 0.12 and m.s("V1") > 3 * m.r("V1") and m.q("V6") == (0.0, 0.0),
    "RBBB": lambda m, n: m.qrs_duration > 0.12 and m.r("V1") > n.r("V1") + 0.1 and m.s("V6") > 0.15,
    "ILBBB": lambda m, n: 0.095 < m.qrs_duration < 0.138 and m.q("V6") == (0.0, 0.0),
    "IRBBB": lambda m, n: 0.085 < m.qrs_duration < 0.12 and m.s("V6") > n.s("V6"),
    "NSIVCB": lambda m, n: m.qrs_duration > 0.105 > n.qrs_duration,
    "WPW": lambda m, n: m.p_wave()[1] < 0.125 and m.qrs_duration > n.qrs_duration + 0.02,
    "LAnFB": lambda m, n: m.axis < -44 and m.q("aVF") == (0.0, 0.0) and m.s("aVF") > m.r("aVF"),
    "LPFB": lambda m, n: m.axis > 90 and m.s("I") > m.r("I") and m.q("aVF")[0] > 0.03,
    "LAD": lambda m, n: -75 < m.axis < -28,
    "RAD": lambda m, n: 90 < m.axis < 140,
    "RVH": lambda m, n: m.axis > 95 and m.r("V1") > m.s("V1") and m.s("V6") > m.r("V6"),
    "LVH": lambda m, n: m.s("V1") + max(m.r("V5"), m.r("V6")) > 3.4 > n.s("V1") + n.r("V5"),
    "LVHV": lambda m, n: m.s("V1") + max(m.r("V5"), m.r("V6")) > 3.4,
    "LQRSV": lambda m, n: max(m.r(name) + m.s(name) for name in STANDARD_LEADS[:6]) < 0.55,
    "IMI": lambda m, n: m.q("III")[1] >= 0.028 and m.q("aVF")[0] > n.q("aVF")[0] + 0.1,
    "ASMI": lambda m, n: m.r("V1") < 0.1 and m.r("V2") < 0.5 * n.r("V2"),
    "AMI": lambda m, n: m.r("V2") < 0.5 * n.r("V2") and m.r("V4") < n.r("V4"),
    "LMI": lambda m, n: m.q("V6")[0] > n.q("V6")[0] + 0.1 and m.q("I")[1] > 0.02,
    "PRWP": lambda m, n: m.r("V3") < 0.8 * n.r("V3") and m.r("V2") < 0.6 * n.r("V2"),
    "STEI": lambda m, n: m.level("III") > 0.1 and m.level("aVF") > 0.1 and m.level("aVL") < 0.02,
    "STEA": lambda m, n: m.level("V2") > 0.17 and m.level("V3") > 0.15,
    "STEL": lambda m, n: m.level("I") > 0.08 and m.level("V6") > 0.1 and m.level("III") < 0.03,
    "STD": lambda m, n: m.level("V5") < -0.07 and m.level("II") < -0.07,
    "ERe": lambda m, n: m.level("V3") > n.level("V3") + 0.05 and m.t_amplitude("V4") > n.t_amplitude("V4"),
    "TInv": lambda m, n: sum(m.t_amplitude(x) < -0.05 for x in STANDARD_LEADS if x != "aVR") >= 2,
    "TAb": lambda m, n: m.t_amplitude("V5") < 0.45 * n.t_amplitude("V5"),
    "NSSTTA": lambda m, n: m.t_amplitude("V5") < 0.7 * n.t_amplitude("V5") and m.level("V5") < n.level("V5"),
    "LQT": lambda m, n: m.qt * (m.heart_rate / 60) ** (1 / 3) > 0.455 > n.qt * (n.heart_rate / 60) ** (1 / 3),
    "RAE": lambda m, n: m.p_wave()[0] > n.p_wave()[0] + 0.1,
}


@pytest.mark.parametrize("severity", SEVERITIES)
@pytest.mark.parametrize("condition", CHANGES)
def test_condition_changes_what_it_should(condition: str, severity: float, measured: Make) -> None:
    for patient in PATIENTS:
        with_it = measured({condition: severity}, patient)
        assert CHANGES[condition](with_it, measured(None, patient)), f"patient {patient}"


def test_every_condition_is_measured_somewhere() -> None:
    elsewhere = {
        "AF",
        "AFL",
        "PR",
        "IIIAVB",
        "MoI",
        "MoII",
        "PAC",
        "PVC",
        "QAb",
        "LAE",
    }  # here and in test_rhythm
    assert set(CHANGES) | elsewhere == set(CONDITIONS)


@pytest.mark.parametrize("severity", SEVERITIES)
def test_fibrillation_has_no_p_wave_and_no_order(severity: float, measured: Make) -> None:
    for patient in PATIENTS:
        m, n = (measured(present, patient, seconds=40) for present in ({"AF": severity}, None))
        assert m.irregularity > 0.15 > n.irregularity
        assert m.p_wave(longest=0.22)[0] < 0.6 * n.p_wave()[0]


def test_healthy_hearts_are_normal(measured: Make) -> None:
    for patient in range(40):
        m = measured(None, patient, age=30 + patient, female=patient % 2 == 0)
        assert 60 <= m.heart_rate <= 100
        assert m.irregularity < 0.08
        assert 0.06 < m.qrs_duration < 0.115
        assert 0.1 < m.p_wave(longest=0.25)[1] < 0.222
        assert -35 < m.axis < 95
        assert m.r("V5") + m.s("V1") < 3.8
        assert all(abs(m.level(name)) < 0.14 for name in STANDARD_LEADS)
        assert m.t_amplitude("V5") > 0.1
        assert m.t_amplitude("aVR") < 0
        assert m.r("V1") < m.s("V1")


def test_children_differ(measured: Make) -> None:
    infant, adult = (measured(None, 1, age=age) for age in (0.5, 50))
    assert infant.heart_rate > 105
    assert infant.axis > adult.axis + 20
    assert infant.t_amplitude("V1") < -0.05


def test_abnormal_q_waves(measured: Make) -> None:
    for patient in PATIENTS:
        m, n = (measured(present, patient) for present in ({"QAb": 0.8}, None))
        assert max(m.q(name)[0] - n.q(name)[0] for name in ("aVF", "III", "I", "V6")) > 0.1


def test_left_atrial_enlargement_broadens_p(measured: Make) -> None:
    for patient in PATIENTS:
        m, n = (measured(present, patient) for present in ({"LAE": 0.7}, None))
        onset, _, beat = m.qrs_bounds
        normal_onset, _, normal = n.qrs_bounds
        end = beat[6, : onset - 6].min()  # the terminal negative part in V1
        assert end < normal[6, : normal_onset - 6].min() - 0.04


@pytest.mark.parametrize(
    ("together", "check"),
    [
        ({"RBBB": 0.6, "LAnFB": 0.6}, lambda m: m.qrs_duration > 0.12 and m.axis < -40),
        ({"AF": 0.6, "LBBB": 0.6}, lambda m: m.qrs_duration > 0.12 and m.irregularity > 0.12),
        ({"SB": 0.6, "LVH": 0.6}, lambda m: m.heart_rate < 60 and m.s("V1") + m.r("V5") > 3.4),
        ({"STach": 0.5, "STEI": 0.9}, lambda m: m.heart_rate > 100 and m.level("III") > 0.1),
        ({"IAVB": 0.5, "IMI": 0.6, "TAb": 0.5}, lambda m: m.p_wave()[1] > 0.2 and m.q("III")[1] > 0.02),
        ({"LQRSV": 0.5, "AF": 0.5}, lambda m: m.irregularity > 0.12 and m.r("II") < 0.5),
    ],
)
def test_conditions_combine(together: dict[str, float], check: Callable[[Any], bool], measured: Make) -> None:
    for patient in PATIENTS:
        assert check(measured(together, patient)), f"patient {patient}"


def test_main_findings_survive_noise(measured: Make) -> None:
    noise = Noise(wander=0.04, muscle=0.006, mains=0.003, pops=0.0)
    for patient in PATIENTS:
        assert measured({"SB": 0.5}, patient, noise=noise).heart_rate < 60
        assert measured({"AF": 0.5}, patient, noise=noise).irregularity > 0.12
        assert measured({"LBBB": 0.5}, patient, noise=noise).s("V1") > 0.6
        assert measured({"STEA": 0.9}, patient, noise=noise).level("V2") > 0.15
        assert measured({"LAnFB": 0.5}, patient, noise=noise).axis < -30


@pytest.mark.parametrize("rate", [100.0, 250.0, 257.0, 400.0, 1000.0])
def test_sampling_rate_does_not_matter(rate: float, measured: Make) -> None:
    at_500, other = measured({"LVH": 0.5}, 1), measured({"LVH": 0.5}, 1, rate=rate)
    assert other.heart_rate == pytest.approx(at_500.heart_rate, rel=0.02)
    assert other.signal.max() == pytest.approx(at_500.signal.max(), rel=0.12)


def test_contradictions() -> None:
    for one, other in [("AF", "SB"), ("SB", "STach"), ("LBBB", "RBBB"), ("AF", "PAC"), ("PR", "LVH")]:
        assert conflicts(one, other)
        assert conflicts(other, one)
    for one, other in [("RBBB", "LAnFB"), ("AF", "LVH"), ("PAC", "PVC"), ("IMI", "STEI")]:
        assert not conflicts(one, other)
    assert all(conflicts(a.id, b.id) for a, b in combinations(TABLE, 2) if a.group == b.group)


def test_ids_are_concepts_of_the_ontology() -> None:
    concepts = set(load_ontology().concepts.index)
    finer = {"MoI": "IIAVB", "MoII": "IIAVB", "ASMI": "AMI", "STEI": "STE", "STEA": "STE", "STEL": "STE"}
    assert finer.keys() <= CONDITIONS.keys()
    meant = {finer.get(condition, condition) for condition in CONDITIONS}
    assert meant - concepts == {"NSSTTA"}  # only ever an unspecific statement
    assert set(CONFUSED) | set(CONFUSED.values()) <= set(CONDITIONS)


def test_signal_is_finite_for_every_pair_that_can_meet(measured: Make) -> None:
    rng = np.random.default_rng(0)
    for _ in range(60):
        one, other = rng.choice(list(CONDITIONS), 2, replace=False)
        if not conflicts(one, other):
            m = measured({one: float(rng.random()), other: float(rng.random())}, int(rng.integers(50)))
            assert np.isfinite(m.signal).all()
            assert 0.2 < np.abs(m.signal).max() < 12


@pytest.mark.parametrize("seed", range(3))
def test_every_pair_that_can_meet_makes_a_heart(seed: int) -> None:
    """Also the rare ones: a release of thousands of records meets them all."""
    for one, other in combinations(CONDITIONS, 2):
        if conflicts(one, other):
            continue
        for severity in (0.0, 1.0):
            now = np.random.default_rng(seed)
            heart = normal_heart(60.0, False, now, now)
            apply(heart, {one: severity, other: severity}, now)
            assert np.isfinite(heart.qrs.vectors).all(), (one, other)


def test_a_wide_escape_rhythm_keeps_the_right_axis_of_hypertrophy() -> None:
    wide = 0
    for seed in range(8):
        now = np.random.default_rng(seed)
        heart = normal_heart(60.0, False, now, now)
        apply(heart, {"IIIAVB": 0.9, "RVH": 0.5}, now)
        wide += len(heart.qrs.vectors) == 4
        assert heart.frontal_axis() > 90
    assert wide
