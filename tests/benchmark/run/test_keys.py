"""What decides a number is in its key (rooms of code, data, labels, settings), and nothing else is."""

from __future__ import annotations

import copy
import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from benchmark.config import Places
from benchmark.models.plugins import find_model
from benchmark.progress import Reporter
from benchmark.protocols.embeddings import embeddings_key
from benchmark.protocols.evaluated import EvaluatedModel
from benchmark.protocols.hardware import Hardware
from benchmark.protocols.pretraining import plan_pretraining
from benchmark.protocols.protocol import AS_IS, ZERO_SHOT
from benchmark.protocols.rooms import SCORE_ROOMS, TEXT_ROOMS
from benchmark.protocols.training import plan_training
from benchmark.records.measuring import RunSettings
from benchmark.records.verification import verify
from benchmark.run.cohorts import labelled, prepared
from benchmark.run.plan import METRIC_ROOMS, Cell, plan_cells
from benchmark.run.runner import run
from benchmark.run.states import RunOptions
from cohorts.catalogue import open_cohort
from cohorts.hashing import ROOT, code_hash
from cohorts.ontology import ontology as ontology_module
from cohorts.ontology.ontology import load_ontology
from cohorts.ontology.tables import Tables, read_tables
from cohorts.preparing import prepare
from cohorts.store import Store
from tests.releases import write_challenge, write_ptb_xl

PLUGINS = Path(__file__).parents[2] / "plugins"
GOOD = f"{PLUGINS / 'good.py'}:Amplitude"
ROOMS = {"scores": SCORE_ROOMS, "metrics": METRIC_ROOMS, "texts": TEXT_ROOMS}
OUTSIDE = (
    "benchmark/commands/evaluation.py",
    "benchmark/report/page/page.py",
    "benchmark/run/plan_text.py",
    "cohorts/sources/georgia.py",
    "cohorts/simulator/simulate.py",
)


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the code of the suite."""
    root = tmp_path_factory.mktemp("house")
    for package in ("benchmark", "cohorts"):
        shutil.copytree(ROOT / package, root / package, ignore=shutil.ignore_patterns("__pycache__"))
    return root


def hashed(rooms: tuple[str, ...], root: Path) -> str:
    code_hash.cache_clear()  # a process hashes its own code once
    return code_hash(*rooms, root=root)


def differs_after_touching(file: Path, rooms: tuple[str, ...], root: Path) -> bool:
    before, content = hashed(rooms, root), file.read_bytes()
    try:
        file.write_bytes(content + b"\n")
        return hashed(rooms, root) != before
    finally:
        file.write_bytes(content)


@pytest.mark.parametrize("rooms", ROOMS.values(), ids=ROOMS)
def test_a_byte_of_any_file_of_a_room_changes_its_hash(rooms: tuple[str, ...], house: Path) -> None:
    files = [
        file
        for room in rooms
        for file in ([house / room] if room.endswith(".py") else (house / room).rglob("*.py"))
    ]
    assert len(files) >= len(rooms)
    for file in files:
        assert differs_after_touching(file, rooms, house), file


@pytest.mark.parametrize("rooms", ROOMS.values(), ids=ROOMS)
def test_pages_commands_and_sources_are_in_no_key_of_a_cell(rooms: tuple[str, ...], house: Path) -> None:
    templates = sorted((house / "benchmark/report/page/templates").iterdir())
    assert templates
    for file in (*templates, *(house / name for name in OUTSIDE)):
        assert not differs_after_touching(file, rooms, house), file


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("data")
    write_ptb_xl(root)
    write_challenge(root, "georgia")
    return root


@pytest.fixture(scope="module")
def stores(data: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Store]:
    cache = tmp_path_factory.mktemp("cache")
    found = {}
    for name in ("ptb-xl", "georgia"):
        cohort = open_cohort(name, data)
        assert cohort is not None
        found[name] = prepare(cohort, cache)
    return found


@pytest.fixture(scope="module")
def model() -> EvaluatedModel:
    source = find_model(GOOD)
    return EvaluatedModel(source, AS_IS, source.card)


def cell_of(
    model: EvaluatedModel,
    store: Store,
    source: Store | str = "none here",
    settings: RunSettings | None = None,
) -> Cell:
    return plan_cells([model], [store], settings or RunSettings(), Path("run"), source)[0]


Keys = dict[str, str]


@pytest.fixture
def keys(model: EvaluatedModel, stores: dict[str, Store], tmp_path: Path) -> Callable[[], Keys]:
    """Give every key that there is."""

    def found() -> Keys:
        cell = cell_of(model, stores["georgia"], stores["ptb-xl"])
        learner, pretrained = find_model("prevalence"), find_model("ecgclip-small")
        return {
            "scores": cell.predictions_key,
            "metrics": cell.key,
            "fit": plan_training(learner, stores["ptb-xl"], tmp_path, 0).key,
            "pre-training": plan_pretraining(pretrained, [stores["ptb-xl"]], tmp_path, 0).key,
            "embeddings": embeddings_key("weights", model.card, stores["georgia"]),
        }

    return found


@pytest.mark.parametrize(
    ("rooms", "concerned"),
    [
        (SCORE_ROOMS, {"scores", "metrics", "fit", "embeddings"}),
        (METRIC_ROOMS, {"metrics"}),
        (TEXT_ROOMS, {"pre-training"}),
    ],
)
def test_every_key_holds_the_hash_of_its_rooms(
    keys: Callable[[], Keys],
    rooms: tuple[str, ...],
    concerned: set[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    before = keys()
    for module in ("run.plan", "protocols.training", "protocols.pretraining", "protocols.embeddings"):
        monkeypatch.setattr(
            f"benchmark.{module}.code_hash",
            lambda *asked: "touched" if asked == rooms else code_hash(*asked),
        )
    after = keys()
    assert {name for name, key in after.items() if key != before[name]} == concerned


def changed(cell: Cell, other: Cell) -> tuple[bool, bool]:
    """Whether the key of the scores changed, and that of the metrics."""
    return cell.predictions_key != other.predictions_key, cell.key != other.key


def test_settings_are_in_the_key_that_they_decide(model: EvaluatedModel, stores: dict[str, Store]) -> None:
    store = stores["ptb-xl"]
    base = cell_of(model, store)
    assert changed(base, cell_of(model, store)) == (False, False)
    assert changed(base, cell_of(model, store, settings=RunSettings(seed=1))) == (False, True)
    assert changed(base, cell_of(model, store, settings=RunSettings(resamples=9))) == (False, True)
    assert changed(base, cell_of(model, store, settings=RunSettings(records="test"))) == (True, True)
    assert changed(base, cell_of(model, store, settings=RunSettings(subgroups=("sex",)))) == (False, True)
    assert changed(base, cell_of(model, store, settings=RunSettings(subgroups=("age", "sex")))) == (
        False,
        False,
    )
    assert changed(base, cell_of(model, store, store)) == (False, True)
    assert changed(cell_of(model, store, store), cell_of(model, store, stores["georgia"])) == (False, True)
    assert changed(base, cell_of(model, stores["georgia"])) == (True, True)
    assert base.selection == "all"
    assert len(cell_of(model, store, settings=RunSettings(records="test")).rows) < len(base.rows)


def test_which_folds_are_which_is_in_both_keys(model: EvaluatedModel, stores: dict[str, Store]) -> None:
    store, other = stores["ptb-xl"], copy.copy(stores["ptb-xl"])
    assert store.card.folds is not None
    folds = store.card.folds.model_copy(update={"test": (9,), "validation": (10,)})
    other.card = store.card.model_copy(update={"folds": folds})
    assert changed(cell_of(model, store), cell_of(model, other)) == (True, True)


def test_the_model_is_in_both_keys(model: EvaluatedModel, stores: dict[str, Store]) -> None:
    store = stores["georgia"]
    base = cell_of(model, store)
    for source in (
        replace(model.source, code_hash="another"),
        replace(model.source, environment=(("python", "3.99"),)),
    ):
        assert changed(base, cell_of(replace(model, source=source), store)) == (True, True)
    card = model.card.model_copy(update={"trained_on": ("georgia",)})
    seen = cell_of(replace(model, card=card), store)
    assert (base.relation, seen.relation) == ("external", "internal")
    assert changed(base, seen) == (True, True)


def test_the_words_of_a_prompt_are_in_the_keys_of_zero_shot_cells_alone(
    model: EvaluatedModel, stores: dict[str, Store], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = replace(model, protocol=ZERO_SHOT)
    before = [cell_of(one, stores["georgia"]) for one in (model, asked)]
    monkeypatch.setattr("benchmark.run.plan.prompts_of", lambda outputs: dict.fromkeys(outputs, ("other",)))
    after = [cell_of(one, stores["georgia"]) for one in (model, asked)]
    assert changed(before[0], after[0]) == (False, False)
    assert changed(before[1], after[1]) == (True, True)
    assert [cell.label for cell in after] == ["amplitude on georgia", "amplitude, zero-shot, on georgia"]


def test_another_minimum_of_positives_is_another_key(
    model: EvaluatedModel, stores: dict[str, Store], monkeypatch: pytest.MonkeyPatch
) -> None:
    base = cell_of(model, stores["georgia"])
    monkeypatch.setattr("benchmark.run.plan.ELIGIBLE_MINIMUM", 11)
    assert changed(base, cell_of(model, stores["georgia"])) == (False, True)


def test_an_internal_cell_without_a_test_fold_takes_all_records(
    model: EvaluatedModel, stores: dict[str, Store]
) -> None:
    card = model.card.model_copy(update={"trained_on": ("georgia", "ptb-xl")})
    seen = replace(model, card=card)
    assert cell_of(seen, stores["georgia"]).selection == "all"
    assert cell_of(seen, stores["ptb-xl"]).selection == "test"


@pytest.fixture
def with_ontology(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[Callable[[Tables], Tables]], None]]:
    """Change the ontology of this process for one test."""

    def change(edit: Callable[[Tables], Tables]) -> None:
        monkeypatch.setattr(ontology_module, "read_tables", lambda folder: edit(read_tables(folder)))
        load_ontology.cache_clear()

    yield change
    monkeypatch.undo()
    load_ontology.cache_clear()


def with_rows(table: pd.DataFrame, *rows: dict[str, str]) -> pd.DataFrame:
    return pd.concat([table, pd.DataFrame(list(rows), columns=table.columns)], ignore_index=True).fillna("")


def add_a_private_cohort(tables: Tables) -> Tables:
    rows = [
        {"cohort": "our-hospital", "concept": concept, "state": "annotated", "reason": "we do"}
        for concept in tables.concepts["id"]
    ]
    return replace(tables, coverage=with_rows(tables.coverage, *rows))


def add_a_concept(tables: Tables) -> Tables:
    row = dict.fromkeys(tables.concepts.columns, "") | {"id": "NEW", "name": "new", "category": "rhythm"}
    rows = [
        {"cohort": cohort, "concept": "NEW", "state": "not annotated", "reason": "not yet"}
        for cohort in tables.coverage["cohort"].unique()
    ]
    concepts, coverage = with_rows(tables.concepts, row), with_rows(tables.coverage, *rows)
    return replace(tables, concepts=concepts, coverage=coverage)


def silence_fibrillation_in_ptb_xl(tables: Tables) -> Tables:
    coverage = tables.coverage.copy()
    coverage.loc[(coverage["cohort"] == "ptb-xl") & (coverage["concept"] == "AF"), "state"] = "not annotated"
    return replace(tables, coverage=coverage)


@pytest.mark.parametrize("edit", [add_a_private_cohort, add_a_concept])
def test_what_is_added_to_the_ontology_leaves_older_results_as_they_are(
    data: Path, tmp_path: Path, with_ontology: Any, edit: Callable[[Tables], Tables]
) -> None:
    def outcome() -> Any:
        places = Places(data, tmp_path / "cache")
        options = RunOptions(
            tmp_path / "run", places, RunSettings(resamples=30), Hardware(), [GOOD, "prevalence"]
        )
        return run(options, Reporter())

    assert (outcome().computed, outcome().computed) == (4, 0)
    with_ontology(edit)
    assert "NEW" in load_ontology().concepts.index or "our-hospital" in load_ontology().cohorts
    found = verify(tmp_path / "run", labelled(Places(data, tmp_path / "cache"), Reporter()))
    assert not found.differences
    assert not found.unchecked
    assert outcome().computed == 0


def test_labels_are_in_the_keys_of_the_cells_that_they_decide(
    model: EvaluatedModel, data: Path, tmp_path: Path, with_ontology: Any
) -> None:
    def cells() -> list[Cell]:
        give = prepared(Places(data, tmp_path), Reporter())
        ptb_xl, georgia = give("ptb-xl"), give("georgia")
        assert ptb_xl is not None
        assert georgia is not None
        return [
            cell_of(model, ptb_xl),
            cell_of(model, georgia),
            cell_of(model, georgia, ptb_xl),  # its thresholds are chosen by the labels of PTB-XL
        ]

    before = cells()
    with_ontology(silence_fibrillation_in_ptb_xl)
    told = [changed(one, other) for one, other in zip(before, cells(), strict=True)]
    assert told == [(False, True), (False, False), (False, True)]
