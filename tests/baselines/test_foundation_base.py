"""What every published model has from its base: files, windows, fine-tuning, words without weights."""

from __future__ import annotations

import hashlib
import logging
import subprocess
import sys
import tomllib
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from baselines.foundation.base import FineTunable, FoundationModel
from baselines.foundation.hub import located
from baselines.foundation.layout import Layout
from baselines.training.windows import WindowClassifier
from benchmark.models.cards import card_of, check_outputs, check_training
from benchmark.models.contract import Batch, Encoder, FitSettings, Published
from benchmark.models.known_models import find_known
from benchmark.models.model_card import InputSpec, ModelCard
from cohorts.catalogue import all_cohorts
from cohorts.errors import ModelError, UsageError
from cohorts.ontology.ontology import load_ontology
from tests.baselines.fakes import CONCEPTS, FakeRecords, take

ROOT = Path(__file__).parents[2]
POINTS = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["entry-points"]["leadboard.models"]
ENTRIES = {name: point for name, point in POINTS.items() if ".foundation." in point}


def entry(name: str) -> Any:
    module, _, made = ENTRIES[name].partition(":")
    return getattr(import_module(module), made)


@pytest.mark.parametrize("name", ENTRIES)
def test_the_card_of_every_entry_is_whole(name: str) -> None:
    model = entry(name)()
    card = card_of(model)
    assert card.name == name
    for field in (card.description, card.licence, card.citation, model.repository, model.weights_file):
        assert field
    check_outputs(card, set(map(str, load_ontology().concepts.index)))
    check_training(card, all_cohorts())
    assert isinstance(model, Published)
    assert isinstance(model, Encoder)
    with torch.device("meta"):
        network = model.build()
    assert card.parameters == sum(parameter.numel() for parameter in network.parameters())


@pytest.mark.parametrize("name", ENTRIES)
def test_it_does_not_claim_less_than_is_known(name: str) -> None:
    known = find_known(name)
    assert known is not None
    assert entry(name).published.trained_on == known.trained_on


@pytest.mark.parametrize("name", ENTRIES)
def test_without_weights_it_gives_the_command(name: str) -> None:
    model = entry(name)()
    spec = model.card.input
    empty = Batch(
        np.zeros((1, len(spec.leads), spec.samples), np.float32), np.zeros(1, np.float32), np.array([""])
    )
    for ask in (model.predict, model.embed):
        with pytest.raises(ModelError, match=f"'leadboard weights {name} --file {model.weights_file}'"):
            ask(empty)


def test_reading_all_cards_imports_nothing_heavy() -> None:
    code = (
        "import sys\nfrom importlib import import_module\n"
        f"for point in {list(ENTRIES.values())!r}:\n"
        "    module, _, made = point.partition(':')\n"
        "    getattr(import_module(module), made)().card\n"
        "print({'torch', 'transformers', 'pytorch_lightning', 'h5py'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert done.stdout == "set()\n"


class Network(nn.Module):
    width = 4

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv1d(2, 4, 5)
        self.twin = self.conv
        self.head = nn.Linear(4, 3)

    def features(self, windows: torch.Tensor) -> torch.Tensor:
        return torch.relu(self.conv(windows)).mean(dim=-1)

    def forward(self, windows: torch.Tensor) -> Any:
        return self.head(self.features(windows))


class Tiny(FineTunable):
    published = ModelCard(
        name="tiny",
        licence="MIT",
        input=InputSpec(sampling_rate=100, seconds=5, leads=("I", "II")),
        outputs=("AF", "LVH", "LBBB"),
        trained_on=(),
    )
    repository = "https://example.org"
    weights_file = "tiny.pth"
    join = "maximum"
    layout = Layout(
        file="tiny.pth",
        wrappers=("net",),
        prefix="encoder.",
        renamed={r"^old\.": "conv."},
        aliases={r"^twin\.": "conv."},
        ignored=(r"decoder\..*",),
    )

    def build(self) -> Network:
        return Network()

    def prepare(self, signals: torch.Tensor) -> torch.Tensor:
        return signals.unfold(-1, 100, 100).transpose(1, 2)


def official(path: Path, **changes: Any) -> Any:
    torch.manual_seed(1)
    network = Network()
    state = {f"encoder.{name}".replace(".conv.", ".old."): one for name, one in network.state_dict().items()}
    state |= {"encoder.decoder.weight": torch.ones(2), "other.weight": torch.ones(1)} | changes
    torch.save({"net": {name: one for name, one in state.items() if one is not None}, "epoch": 3}, path)
    return network.eval()


def signals(records: int = 5) -> Batch:
    rng = np.random.default_rng(3)
    return Batch(
        rng.normal(0, 1, (records, 2, 500)).astype(np.float32),
        np.zeros(records, np.float32),
        np.full(records, ""),
    )


@pytest.fixture
def tiny(tmp_path: Path) -> tuple[Tiny, Network]:
    network = official(tmp_path / "tiny.pth")
    model = Tiny()
    assert "tiny, 6 tensors, from tiny.pth" in model.convert(str(tmp_path), tmp_path / "weights")
    model.load(tmp_path / "weights")
    return model, network


def test_windows_are_joined_as_the_card_of_the_model_says(tiny: tuple[Tiny, Network]) -> None:
    model, network = tiny
    batch = signals(11)  # more than are computed at once
    windows = torch.from_numpy(batch.signals).reshape(11, 2, 5, 100).transpose(1, 2)
    with torch.inference_mode():
        rows = torch.stack([network(one).sigmoid() for one in windows])
        features = torch.stack([network.features(one) for one in windows])
    np.testing.assert_allclose(model.predict(batch), rows.amax(dim=1), rtol=1e-5)
    np.testing.assert_allclose(model.embed(batch), features.mean(dim=1), rtol=1e-5)
    model.join = "mean"  # type: ignore[misc]
    np.testing.assert_allclose(model.predict(batch), rows.mean(dim=1), rtol=1e-5)


def test_loading_leaves_no_trace_in_the_generator(tiny: tuple[Tiny, Network], tmp_path: Path) -> None:
    torch.manual_seed(5)
    before = torch.get_rng_state()
    tiny[0].load(tmp_path / "weights")
    assert torch.equal(torch.get_rng_state(), before)


@pytest.mark.parametrize("kind", [torch.float16, torch.bfloat16])
def test_a_file_in_half_precision_is_read_as_float32_and_that_is_said(
    tmp_path: Path, kind: torch.dtype
) -> None:
    network = official(tmp_path / "tiny.pth")
    torch.save(
        {"net": {f"encoder.{n}": t.to(kind) for n, t in network.state_dict().items()}}, tmp_path / "a.pt"
    )
    model, name = Tiny(), str(kind).removeprefix("torch.")
    said = model.convert(str(tmp_path / "a.pt"), tmp_path / "weights")
    assert said.endswith(f"); 6 of them in {name}, read as float32.")
    model.load(tmp_path / "weights")
    assert torch.equal(model._network.head.weight, network.head.weight.to(kind).float())


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"encoder.head.bias": None}, r"missing \(head.bias\)"),
        ({"encoder.more": torch.ones(1)}, r"unexpected \(more\)"),
        ({"encoder.head.bias": torch.ones(4)}, r"head.bias is float32 \[4\] instead of float32 \[3\]"),
        ({"encoder.head.bias": torch.full((3,), torch.nan)}, r"NaN or infinity \(head.bias\)"),
    ],
)
def test_a_file_that_does_not_fit(tmp_path: Path, changes: dict[str, Any], words: str) -> None:
    official(tmp_path / "tiny.pth", **changes)
    with pytest.raises(ModelError, match=words):
        Tiny().convert(str(tmp_path / "tiny.pth"), tmp_path / "weights")


def test_of_two_names_of_one_tensor_the_last_counts(tmp_path: Path) -> None:
    """The rule by which the known answers were made; in a file of the authors both are the same."""
    official(tmp_path / "tiny.pth", **{"encoder.twin.bias": torch.ones(4)})
    model = Tiny()
    model.convert(str(tmp_path / "tiny.pth"), tmp_path / "weights")
    model.load(tmp_path / "weights")
    assert model._network.conv.bias.tolist() == [1, 1, 1, 1]


def test_a_file_under_a_known_name_must_be_that_file(tmp_path: Path) -> None:
    official(tmp_path / "tiny.pth")
    digest = hashlib.sha256((tmp_path / "tiny.pth").read_bytes()).hexdigest()

    class Known(Tiny):
        layout = Layout(
            wrappers=Tiny.layout.wrappers,
            prefix=Tiny.layout.prefix,
            renamed=Tiny.layout.renamed,
            ignored=Tiny.layout.ignored,
            sha256={"tiny.pth": digest},
        )

    Known().convert(str(tmp_path / "tiny.pth"), tmp_path / "weights")
    official(tmp_path / "tiny.pth", **{"encoder.head.bias": torch.zeros(3)})
    with pytest.raises(ModelError, match="is not the file that was published under this name"):
        Known().convert(str(tmp_path / "tiny.pth"), tmp_path / "weights")


def test_a_file_is_found_by_path_in_a_folder_or_on_the_hub(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    (tmp_path / "model.pth").write_bytes(b"1")
    assert (
        located(str(tmp_path), "model.pth")
        == located(str(tmp_path / "model.pth"), "")
        == tmp_path / "model.pth"
    )
    (tmp_path / ".hidden").write_bytes(b"1")
    with pytest.raises(ModelError, match=r"is a folder without other\.pth, in which lie model\.pth: give"):
        located(str(tmp_path), "other.pth")
    with pytest.raises(ModelError, match=r"is a folder, in which lie model\.pth, and the file of this model"):
        located(str(tmp_path), "")
    with pytest.raises(
        UsageError, match=rf"There is no file \S+none\.pth in {tmp_path}, in which lie model\.pth"
    ):
        located(str(tmp_path / "none.pth"), "other.pth")
    with pytest.raises(UsageError, match="There is no file"):
        located("no/such/path.pth", "other.pth")
    with pytest.raises(ModelError, match=r"the hub cannot be reached: download model\.pth"):
        located("nobody-there/no-such-model", "model.pth")


def records(count: int, seed: int) -> FakeRecords:
    return FakeRecords(count, seed, Tiny.published.input)


@pytest.fixture(scope="module")
def tuned(tmp_path_factory: pytest.TempPathFactory) -> tuple[Tiny, Path]:
    folder = tmp_path_factory.mktemp("tuned")
    official(folder / "tiny.pth")
    model = Tiny()
    model.convert(str(folder), folder / "weights")
    model.load(folder / "weights")
    for name in ("checkpoints", "saved"):
        (folder / name).mkdir()
    model.fit(records(60, 1), records(30, 2), FitSettings(CONCEPTS, 5, "cpu", folder / "checkpoints"))
    model.save(folder / "saved")
    return model, folder


def test_it_is_fine_tuned_saved_and_loaded(tuned: tuple[Tiny, Path]) -> None:
    model, folder = tuned
    assert model.card == Tiny.published.with_outputs(CONCEPTS)
    batch = records(20, 3).everything
    scores = model.predict(batch)
    assert scores.shape == (20, len(CONCEPTS))
    assert ((scores > 0) & (scores < 1)).all()
    again = Tiny()
    again.load(folder / "saved")
    np.testing.assert_array_equal(again.predict(batch), scores)
    assert again.card == model.card
    original = Tiny()
    original.load(folder / "weights")
    assert np.abs(again.embed(batch) - original.embed(batch)).max() > 1e-4
    np.testing.assert_allclose(
        np.concatenate([model.predict(take(batch, [at])) for at in range(20)]), scores, atol=2e-6
    )


def test_without_a_concept_of_both_classes_it_ends_at_once(
    tuned: tuple[Tiny, Path], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    _, folder = tuned
    model = Tiny()
    model.load(folder / "weights")
    with caplog.at_level(logging.INFO, logger="leadboard"):
        model.fit(records(30, 1), records(20, 2), FitSettings(("PACE",), 0, "cpu", tmp_path))
    (said,) = caplog.messages
    assert "None of the 1 concept has both a positive and a negative among the 30 training records" in said
    assert np.ptp(model.predict(records(20, 3).everything)) == 0


def test_a_training_leaves_the_weights_that_it_started_from(tuned: tuple[Tiny, Path]) -> None:
    _, folder = tuned
    model = Tiny()
    model.load(folder / "weights")
    before = model.embed(signals())
    (folder / "again").mkdir()
    model.fit(records(20, 1), records(10, 2), FitSettings(CONCEPTS, 5, "cpu", folder / "again"))
    other = Tiny()
    other.load(folder / "weights")
    np.testing.assert_array_equal(other.embed(signals()), before)
    model.load(folder / "weights")
    assert model.card == Tiny.published
    np.testing.assert_array_equal(model.embed(signals()), before)


def test_it_learns_from_one_window_and_is_asked_about_all() -> None:
    torch.manual_seed(0)
    classifier = WindowClassifier(Network(), nn.Linear(4, 2), "maximum")
    windows = torch.randn(6, 3, 2, 100)
    with torch.inference_mode():
        every = torch.stack([classifier(windows[:, [at]]) for at in range(3)])
        drawn = {
            int(at) for _ in range(40) for at in (every - classifier(windows)).abs().sum(-1).argmin(dim=0)
        }
        assert drawn == {0, 1, 2}
        joined = classifier.probabilities(windows)
    torch.testing.assert_close(joined, every.sigmoid().amax(dim=0), rtol=1e-5, atol=1e-6)


def test_a_model_without_outputs_refuses_to_score(tmp_path: Path) -> None:
    class Bare(Tiny):
        published = Tiny.published.model_copy(update={"outputs": ()})

    official(tmp_path / "tiny.pth")
    model = Bare()
    model.convert(str(tmp_path), tmp_path / "weights")
    model.load(tmp_path / "weights")
    with pytest.raises(ModelError, match="no outputs of its own"):
        model.predict(signals())
    with pytest.raises(ModelError, match="has not been trained"):
        model.save(tmp_path)
    assert issubclass(Bare, FoundationModel)
