"""Subsets of labels: nested, by patient, and the same on every machine."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from benchmark.protocols.pretraining import split
from benchmark.protocols.subsets import labelled, owners
from cohorts.catalogue import open_cohort
from cohorts.preparing import prepare
from cohorts.store import Store, rows_of
from tests.releases import write_challenge, write_ptb_xl


@pytest.fixture(scope="module")
def stores(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Store]:
    root = tmp_path_factory.mktemp("data")
    write_ptb_xl(root, records=400)
    write_challenge(root, "georgia", records=200)
    found = {}
    for name in ("ptb-xl", "georgia"):
        cohort = open_cohort(name, root)
        assert cohort is not None
        found[name] = prepare(cohort, root / "cache")
    return found


@pytest.mark.parametrize("part", ["training", "validation"])
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_subsets_are_nested_and_take_whole_patients(stores: dict[str, Store], part: str, seed: int) -> None:
    store = stores["ptb-xl"]
    every = rows_of(store, part)
    subsets = [set(labelled(store, part, percent, seed)) for percent in (1, 10, 100)]
    assert subsets[0] <= subsets[1] <= subsets[2] == set(every)
    patients = pd.Series(owners(store, every), index=every)
    for rows in subsets:
        taken = set(patients[sorted(rows)])
        assert rows == set(patients.index[patients.isin(taken)])
    taken = [patients[sorted(rows)].nunique() for rows in subsets]
    assert 10 * (taken[1] - 1) < patients.nunique() <= 10 * taken[1]  # a tenth, rounded up


def test_seeds_give_other_patients(stores: dict[str, Store]) -> None:
    found = {tuple(labelled(stores["ptb-xl"], "training", 10, seed)) for seed in range(5)}
    assert len(found) == 5


def test_a_subset_does_not_depend_on_who_else_is_on_disk(stores: dict[str, Store], tmp_path: Path) -> None:
    write_ptb_xl(tmp_path, records=398)
    cohort = open_cohort("ptb-xl", tmp_path)
    assert cohort is not None
    smaller = prepare(cohort, tmp_path / "cache")
    few = {str(smaller.index["record_id"][row]) for row in labelled(smaller, "training", 10, 0)}
    many = {
        str(stores["ptb-xl"].index["record_id"][row]) for row in labelled(stores["ptb-xl"], "training", 10, 0)
    }
    assert len(few ^ many) <= 2  # at most one patient more or less


def test_one_percent_of_little_is_still_two_patients(stores: dict[str, Store]) -> None:
    store = stores["ptb-xl"]
    rows = labelled(store, "validation", 1, 0)
    assert len(set(owners(store, rows))) == 2


def test_pre_training_splits_by_patient_and_never_sees_the_test_fold(stores: dict[str, Store]) -> None:
    for store in stores.values():
        training, validation = split(store)
        assert len(training)
        assert len(validation)
        assert not set(owners(store, training)) & set(owners(store, validation))
        assert not set(rows_of(store, "test")) & {*training, *validation}
    training, validation = split(stores["georgia"])
    assert len(training) + len(validation) == len(stores["georgia"])
    assert 0.03 < len(validation) / len(stores["georgia"]) < 0.2


def test_records_without_a_patient_id_are_patients_of_their_own(stores: dict[str, Store]) -> None:
    store = stores["georgia"]
    assert len(set(owners(store, np.arange(len(store))))) == len(store)
