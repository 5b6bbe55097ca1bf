"""Where a finding was drawn, against the signal itself."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from cohorts.recording import STANDARD_LEADS
from cohorts.simulator.drawing import draw, twelve_leads
from cohorts.simulator.recordings import Simulated, recordings_of
from cohorts.simulator.rhythm import Beats
from cohorts.simulator.sites import SITES
from tests.soak.drawn_places import FINDINGS, LEADS, condition_of, drawn_parts


@pytest.fixture(scope="module")
def recordings() -> list[Simulated]:
    return list(recordings_of(SITES["georgia"], 0, 0.4))


def first_with(condition: str, recordings: list[Simulated]) -> Simulated:
    return next(recording for recording in recordings if condition in recording.present)


def test_a_premature_beat_is_where_the_signal_changes_without_it(recordings: list[Simulated]) -> None:
    recording = first_with("PVC", recordings)
    heart, beats, seconds = recording.heart, recording.beats, recording.signal.shape[1] / recording.rate
    assert len(beats.pvc) > 0
    without = Beats(beats.p, beats.early_p, beats.qrs, np.empty(0))
    one, other = (
        draw(heart, some, seconds, recording.rate, np.random.default_rng(0)) for some in (beats, without)
    )
    changed = np.abs(one - other).max(axis=0)
    marked = np.repeat(drawn_parts(recording, "PVC")[0], round(0.2 * recording.rate))[: len(changed)]
    assert (changed[~marked] ** 2).sum() < 0.1 * (changed**2).sum()
    assert changed[marked].max() == changed.max()


@pytest.mark.parametrize("condition", ["LBBB", "RBBB"])
def test_every_complex_is_marked_in_the_leads_of_the_criteria(
    condition: str, recordings: list[Simulated]
) -> None:
    recording = first_with(condition, recordings)
    marked = drawn_parts(recording, condition)
    assert {lead for lead, row in zip(STANDARD_LEADS, marked, strict=True) if row.any()} == {
        *LEADS[condition]
    }
    row = marked[STANDARD_LEADS.index("V6")]
    length = recording.signal.shape[1] / recording.rate
    middles = recording.beats.qrs + recording.heart.qrs.duration / 2
    inside = middles[(middles > 0) & (middles < length)]
    assert row[(inside / 0.2).astype(int)].all()
    assert row.sum() <= 2 * (len(inside) + 2)  # a complex lies in one part, or in two by halves
    assert 0.1 < row.mean() < 0.8


def test_an_st_segment_is_where_the_signal_changes_without_its_elevation(recordings: list[Simulated]) -> None:
    found = [(one, condition) for one in recordings if (condition := condition_of(one, "STE"))]
    assert found
    for recording, condition in found:
        heart, seconds = recording.heart, recording.signal.shape[1] / recording.rate
        level = replace(heart, st=np.zeros(3))
        one, other = (
            draw(some, recording.beats, seconds, recording.rate, np.random.default_rng(0))
            for some in (heart, level)
        )
        changed = twelve_leads(one - other)
        marked = np.repeat(drawn_parts(recording, condition), round(0.2 * recording.rate), axis=1)
        marked = marked[:, : changed.shape[1]]
        rows = marked.any(axis=1)
        assert {lead for lead, row in zip(STANDARD_LEADS, rows, strict=True) if row} == {*LEADS[condition]}
        power = (changed[rows] ** 2).sum()
        assert (changed[marked] ** 2).sum() > 0.6 * power  # a segment may lie across three parts
        assert marked[rows].mean() < 0.5
        assert changed[marked].mean() > 3 * abs(changed[~rows].mean())


def test_a_finding_without_a_condition_is_none(recordings: list[Simulated]) -> None:
    for recording in recordings[:20]:
        for finding, conditions in FINDINGS.items():
            assert (condition_of(recording, finding) is None) == (not {*conditions} & {*recording.present})


def test_asking_changes_nothing(recordings: list[Simulated]) -> None:
    recording = first_with("PVC", recordings)
    before = recording.signal.copy(), recording.beats.pvc.copy()
    drawn_parts(recording, "PVC")
    assert np.array_equal(recording.signal, before[0])
    assert np.array_equal(recording.beats.pvc, before[1])
