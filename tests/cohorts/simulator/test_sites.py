"""Populations: prevalence, age, repeated patients; and sites that really differ."""

from __future__ import annotations

from itertools import islice

import numpy as np
import pytest

from cohorts.simulator import statements, wordings
from cohorts.simulator.conditions import CONDITIONS, TABLE, conflicts
from cohorts.simulator.heart import TWELVE_FROM_EIGHT
from cohorts.simulator.patients import visits_of
from cohorts.simulator.recordings import RHYTHMS, Simulated, recordings_of
from cohorts.simulator.reports import report
from cohorts.simulator.sites import SITES
from cohorts.simulator.writers.scp_statements import SCP_STATEMENTS

MANY = 4000


def some(site: str, count: int = 30, seed: int = 0) -> list[Simulated]:
    return list(islice(recordings_of(SITES[site], seed), count))


@pytest.mark.parametrize("site", SITES)
def test_prevalences_are_the_sites(site: str) -> None:
    visits = visits_of(SITES[site], MANY, np.random.default_rng(5))
    # Recordings of a patient are not independent: the fewer patients, the more scatter.
    independent = MANY**2 / (np.bincount(visits.patient) ** 2).sum()
    for column, condition in enumerate(TABLE):
        wanted = SITES[site].prevalence.get(condition.id, 0.0)
        found = visits.present[:, column].mean()
        scatter = np.sqrt(wanted * (1 - wanted) / independent)
        assert abs(found - wanted) < 0.003 + 0.08 * wanted + 4 * scatter, condition.id


@pytest.mark.parametrize("site", SITES)
def test_nothing_contradictory_is_present(site: str) -> None:
    visits = visits_of(SITES[site], 500, np.random.default_rng(6))
    for row in range(500):
        present = list(visits.conditions(row))
        assert not [(a, b) for a in present for b in present if conflicts(a, b)]


def test_patients_return_and_stay_themselves() -> None:
    site = SITES["mimic-iv-ecg"]
    visits = visits_of(site, MANY, np.random.default_rng(7))
    _, counts = np.unique(visits.patient, return_counts=True)
    assert 1 - len(counts) / MANY == pytest.approx(site.returning, abs=0.03)
    assert counts.max() > 4
    rows = np.flatnonzero(visits.patient == np.argmax(counts))
    assert len(set(visits.female[rows])) == 1
    assert len(set(visits.fold[rows])) == 1
    assert (np.diff(visits.age[rows]) >= 0).all() or np.ptp(visits.age[rows]) < 25
    chronic = [column for column, condition in enumerate(TABLE) if condition.chronic]
    kept = total = 0
    for patient in np.flatnonzero(counts > 1):
        rows = np.flatnonzero(visits.patient == patient)
        first, others = visits.present[rows[0]][chronic], visits.present[rows[1:]][:, chronic]
        kept += (others & first).sum()
        total += len(others) * first.sum()
    assert kept / total > 0.9


def test_older_patients_have_more_of_what_comes_with_age() -> None:
    visits = visits_of(SITES["ptb-xl"], MANY, np.random.default_rng(8))
    old, young = visits.age > 72, visits.age < 50
    names = [condition.id for condition in TABLE]
    for condition in ("AF", "LBBB", "PVC"):
        column = names.index(condition)
        assert visits.present[old, column].mean() > 1.3 * visits.present[young, column].mean()


def test_folds_keep_patients_together_and_rare_conditions_apart() -> None:
    visits = visits_of(SITES["ptb-xl"], 960, np.random.default_rng(9))
    assert len({(p, f) for p, f in zip(visits.patient, visits.fold, strict=True)}) == visits.patient[-1] + 1
    sizes = np.bincount(visits.fold)[1:]
    assert len(sizes) == 10
    assert sizes.min() > 0.8 * sizes.max()
    column = [condition.id for condition in TABLE].index("LBBB")
    by_fold = np.bincount(visits.fold[visits.present[:, column]], minlength=11)[1:]
    assert by_fold.min() >= 1


def test_anatomy_is_stable_between_recordings() -> None:
    recordings = some("mimic-iv-ecg", 60)
    by_patient: dict[int, list[Simulated]] = {}
    for recording in recordings:
        by_patient.setdefault(recording.patient, []).append(recording)
    pairs = [group for group in by_patient.values() if len(group) > 1]
    axes = [(a.heart.leads[:2], b.heart.leads[:2]) for a, b, *_ in pairs]
    # Chest electrodes move from one recording to the next, those of the limbs do not.
    assert all(np.allclose(one, other, atol=0.03) for one, other in axes)
    assert not np.allclose(recordings[0].heart.leads[:2], pairs[-1][0].heart.leads[:2], atol=0.03)


def test_limb_leads_agree_to_the_count() -> None:
    for recording in some("ptb-xl", 10):
        counts = recording.counts(1000.0).astype(int)
        one, two = counts[0], counts[1]
        assert (counts[2] == two - one).all()
        assert np.abs(2 * counts[3] + one + two).max() <= 1
        assert np.abs(2 * counts[4] - 2 * one + two).max() <= 1
        assert np.abs(2 * counts[5] - 2 * two + one).max() <= 1
        np.testing.assert_allclose(counts / 1000, TWELVE_FROM_EIGHT @ recording.signal, atol=0.0016)


def test_frank_leads_explain_the_recording() -> None:
    recording = next(iter(some("ptb", 1)))
    explained = recording.heart.leads @ recording.frank()
    assert np.corrcoef(explained.ravel(), recording.signal.ravel())[0, 1] > 0.85


def test_a_recording_depends_on_its_place_only() -> None:
    first, again = some("georgia", 3), some("georgia", 3)
    other = some("georgia", 3, seed=1)
    for one, same, different in zip(first, again, other, strict=True):
        assert (one.signal == same.signal).all()
        assert one.statements == same.statements
        assert one.signal.shape != different.signal.shape or (one.signal != different.signal).any()


def test_sites_differ() -> None:
    found = {
        site: some(site, 40) for site in ("ptb-xl", "chapman_shaoxing", "code-15", "zzu-pecg", "georgia")
    }

    def amplitude(site: str) -> float:
        return float(np.median([np.abs(r.signal - np.median(r.signal)).max() for r in found[site]]))

    def slow(site: str) -> float:
        """Wander: spread of half-second medians of V2."""
        spread = []
        for recording in found[site]:
            step = int(recording.rate / 2)
            trace = recording.signal[3][: len(recording.signal[3]) // step * step].reshape(-1, step)
            spread.append(np.median(trace, axis=1).std())
        return float(np.median(spread))

    def mains(site: str, hertz: float) -> float:
        power = []
        for recording in found[site]:
            trace = recording.signal[0]
            spectrum = np.abs(np.fft.rfft(trace)) / len(trace)
            frequency = np.fft.rfftfreq(len(trace), 1 / recording.rate)
            near = np.abs(frequency - hertz) < 0.3
            around = (np.abs(frequency - hertz) < 4) & ~near
            power.append(spectrum[near].max() / np.median(spectrum[around]))
        return float(np.median(power))

    assert {r.rate for r in found["code-15"]} == {400.0}
    assert amplitude("code-15") > 1.2 * amplitude("georgia")
    assert slow("code-15") > 2 * slow("chapman_shaoxing")
    assert mains("georgia", 60.0) > 3 > mains("georgia", 53.0)
    assert mains("ptb-xl", 50.0) > 2 > mains("ptb-xl", 57.0)
    assert np.mean([r.age for r in found["zzu-pecg"]]) < 12 < 50 < np.mean([r.age for r in found["ptb-xl"]])


def test_readers_are_fallible_in_measure() -> None:
    for site in ("ptb-xl", "code-15", "ningbo"):
        recordings = some(site, 150)
        present = sum(len(r.present) for r in recordings)
        stated = sum(condition in r.stated for r in recordings for condition in r.present)
        assert 0.75 < stated / present < 0.99
        invented = sum(c not in r.present for r in recordings for c in r.stated if c not in ("NORM", "NSR"))
        assert 0 < invented / present < 0.15
    assert all(len(set(r.stated)) == len(r.stated) for r in recordings)
    assert all(any(condition in RHYTHMS for condition in r.stated) for r in recordings)


def test_clean_folds_are_read_with_more_care() -> None:
    recordings = list(recordings_of(SITES["ptb-xl"], 3, scale=0.6))

    def missed(clean: bool) -> float:
        chosen = [r for r in recordings if (r.fold in (9, 10)) == clean]
        return float(np.mean([condition not in r.stated for r in chosen for condition in r.present]))

    assert missed(clean=True) < 0.7 * missed(clean=False)


def test_every_condition_has_words_where_it_is_annotated() -> None:
    for site in SITES.values():
        assert set(site.vocabulary) <= set(CONDITIONS) | {"NORM", "NSR"}, site.id
        assert all(ways and all(ways) for ways in site.vocabulary.values())
    assert set(wordings.MACHINE) >= set(CONDITIONS) | {"NORM", "NSR"}
    codes = {code for ways in statements.SCP.values() for way in ways for code in way.split()}
    assert codes == set(SCP_STATEMENTS) == set(statements.SCP_TO_SNOMED)


def test_reports_say_what_was_stated() -> None:
    random = np.random.default_rng(0)
    texts = [report(("NSR", "LBBB"), random) for _ in range(300)]
    words = ("linksschenkelblock", "left bundle branch block", "skänkelblock")
    assert all(any(word in text for word in words) for text in texts)
    assert {"sinusrhythmus", "sinusrytm", "sinus"} <= {text.split()[0] for text in texts}
    assert any("kein" in text or "nicht auszuschliessen" in text for text in texts)
    assert all("normal" not in text for text in texts)
    assert all("normal" in report(("NORM", "NSR"), random) for _ in range(50))
    every = report(("NSR", *CONDITIONS), random)
    assert len(every) > 300
