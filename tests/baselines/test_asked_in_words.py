"""MERL and KED from their authors' files to what they answer, with narrow text encoders."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch.nn.functional import cosine_similarity, normalize
from transformers import BertConfig

from baselines.foundation import hub, words
from baselines.foundation.ked import Ked, KedOwnLabels
from baselines.foundation.merl import LEADS, MerlResNet18, MerlVitTiny
from baselines.foundation.preparation import min_max
from baselines.networks import ked, merl
from benchmark.models.cards import card_of
from benchmark.models.contract import Batch, Encoder, Prompted, Published, Trainable
from cohorts.errors import ModelError
from tests.baselines.official_files import random_state

State = dict[str, torch.Tensor]
WORDS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "atrial", "fibrillation", "sinus", "rhythm", "##s"]
PROMPTS = {"AF": ("Atrial fibrillation", "no sinus rhythm"), "NSR": ("sinus rhythm",)}


@pytest.fixture(autouse=True)
def small_texts(monkeypatch: pytest.MonkeyPatch) -> None:
    """A text encoder of one narrow layer and ten words, and one layer of queries."""
    config = BertConfig(
        vocab_size=len(WORDS),
        hidden_size=16,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=32,
    )
    monkeypatch.setattr(ked, "LAYERS", 1)
    for network in (merl, ked):
        monkeypatch.setattr(network, "published_text", lambda: config)
    for model in (MerlResNet18, MerlVitTiny, Ked, KedOwnLabels):
        monkeypatch.setattr(model, "vocabulary_size", len(WORDS))


@pytest.fixture(autouse=True)
def no_hub(monkeypatch: pytest.MonkeyPatch) -> None:
    def unreachable(file: str, name: str) -> Path:
        raise ModelError(f"{file} cannot be reached")

    monkeypatch.setattr(hub, "_from_hub", unreachable)


def batch(records: int, samples: int = 5000) -> Batch:
    signals = np.random.default_rng(0).normal(0, 0.3, (records, 12, samples)).astype(np.float32)
    return Batch(signals, np.full(records, np.nan, np.float32), np.full(records, "", dtype=np.str_))


def one(several: Batch, row: int) -> Batch:
    return Batch(several.signals[row : row + 1], several.age[:1], several.sex[:1])


def in_parts(state: State) -> dict[str, Any]:
    """As KED's training script saves it."""
    parts: dict[str, Any] = {"epoch": 3, "lr_scheduler": {"step_size": 1}, "optimizer": {"param_groups": []}}
    for name, tensor in state.items():
        part, _, rest = name.partition(".")
        parts.setdefault(part, {})[rest] = tensor
    return parts


def converted(model: Any, content: Any, folder: Path, vocabulary: bool = True) -> str:
    file = folder / "official.pth"
    torch.save(content, file)
    if vocabulary:
        (folder / words.VOCABULARY).write_text("\n".join(WORDS) + "\n")
    sentence: str = model.convert(str(file), folder / "weights")
    model.load(folder / "weights")
    return sentence


def whole(model: Any) -> State:
    """Random weights, drawn once for each network."""
    return drawn(type(model))


@cache
def drawn(model_class: Any) -> State:
    return random_state(model_class().build())


def assert_each_for_itself(model: Any) -> None:
    several = batch(2)
    for ask in (model.embed, model.predict):
        together = ask(several)
        assert together.dtype == np.float32
        assert np.isfinite(together).all()
        assert (np.ptp(together, axis=0) > 0).any()
        alone = np.concatenate([ask(one(several, row)) for row in range(2)])
        np.testing.assert_allclose(alone, together, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(("model_class", "width"), [(MerlResNet18, 512), (MerlVitTiny, 192)])
def test_merl_gives_cosines_and_features(model_class: Any, width: int, tmp_path: Path) -> None:
    model = model_class()
    state = whole(model)
    old = state | {"lm_model.embeddings.position_ids": torch.arange(512)[None]}
    parallel = {"epoch": 9, "model_state_dict": {f"module.{name}": tensor for name, tensor in old.items()}}
    sentence = converted(model, parallel, tmp_path)
    assert f"{len(state)} tensors, from official.pth" in sentence
    assert "Asked in words" in sentence
    model.set_concepts(PROMPTS)
    assert_each_for_itself(model)
    assert model.embed(batch(2)).shape == (2, width)
    scaled = Batch(batch(2).signals * 1000, batch(2).age, batch(2).sex)
    scores = model.predict(batch(2))
    np.testing.assert_allclose(model.predict(scaled), scores, atol=1e-4)

    network = model.build().eval()
    network.load_state_dict(state)
    signals = torch.from_numpy(batch(2).signals)
    texts = [[[2, 5, 6, 3], [2, 1, 7, 8, 3]], [[2, 7, 8, 3]]]  # the ids of PROMPTS, in lower case
    with torch.inference_mode():
        places = network.embed_signals(min_max(signals))
        for column, ids in enumerate(texts):
            vectors = [
                network.embed_texts(torch.tensor([text]), torch.ones(1, len(text), dtype=torch.long))
                for text in ids
            ]
            concept = normalize(torch.cat(vectors)).mean(dim=0)
            expected = cosine_similarity(places, concept[None])
            np.testing.assert_allclose(scores[:, column], expected, atol=1e-5)


def test_the_signal_encoder_of_merl_alone_has_features_and_no_words(tmp_path: Path) -> None:
    model = MerlResNet18()
    state = whole(model)
    encoder = {name.removeprefix("ecg_encoder."): tensor for name, tensor in state.items() if "ecg_e" in name}
    sentence = converted(model, encoder, tmp_path)
    assert "the signal encoder alone" in sentence
    assert model.card.outputs == ()
    fresh = MerlResNet18()
    fresh.load(tmp_path / "weights")
    both = MerlResNet18()
    converted(both, state, tmp_path)
    np.testing.assert_allclose(fresh.embed(batch(2)), both.embed(batch(2)), rtol=1e-6)
    with pytest.raises(ModelError, match="linear probe"):
        fresh.predict(batch(1))


def test_merl_without_its_vocabulary_has_features_and_says_why(tmp_path: Path) -> None:
    model = MerlVitTiny()
    sentence = converted(model, whole(model), tmp_path, vocabulary=False)
    assert "Without words, since the vocabulary of ncbi/MedCPT-Query-Encoder cannot be reached" in sentence
    assert model.card.outputs == ()
    assert model.embed(batch(1)).shape == (1, 192)
    with pytest.raises(ModelError, match="cannot be reached"):
        converted(MerlVitTiny(text="some/where"), whole(model), tmp_path, vocabulary=False)
    other = tmp_path / "other"
    other.mkdir()
    (other / words.VOCABULARY).write_text("\n".join(WORDS[:-1]))
    with pytest.raises(ModelError, match="has 9 words and is not the vocabulary"):
        converted(MerlVitTiny(text=str(other)), whole(model), tmp_path, vocabulary=False)


def test_leads_are_in_the_order_of_its_training() -> None:
    for model in (MerlResNet18(), MerlVitTiny(), Ked(), KedOwnLabels()):
        assert card_of(model).input.leads == LEADS == merl.LEADS
        assert card_of(model).trained_on == ("mimic-iv-ecg",)
        assert isinstance(model, Encoder)
        assert isinstance(model, Published)
        assert isinstance(model, Prompted)
    assert isinstance(MerlResNet18(), Trainable)
    assert not isinstance(Ked(), Trainable)


def test_without_weights_or_concepts_they_say_what_is_missing(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="leadboard weights merl"):
        MerlResNet18().embed(batch(1))
    with pytest.raises(ModelError, match="cannot be read"):
        MerlResNet18().load(tmp_path)
    model = MerlVitTiny()
    converted(model, whole(model), tmp_path)
    with pytest.raises(ModelError, match="call set_concepts first"):
        model.predict(batch(1))
    with pytest.raises(ModelError, match="no prompt for AF"):
        model.set_concepts({"AF": ()})


@pytest.mark.slow  # the whole model at its size; test_ked.py has its parts and the published outputs
def test_ked_asks_about_all_concepts_together(tmp_path: Path) -> None:
    model = Ked()
    state = whole(model)
    converted(model, in_parts(state), tmp_path)
    model.set_concepts(PROMPTS)
    assert_each_for_itself(model)
    together = model.predict(batch(2))
    network = model.build().eval()
    own = network.state_dict()
    for name, tensor in sorted(state.items()):
        own[name].copy_(tensor)
    from scipy.signal import resample

    lowered = torch.from_numpy(resample(batch(2).signals, 1000, axis=-1).astype(np.float32))
    with torch.inference_mode():
        asked = [torch.tensor([ids]) for ids in ([2, 5, 6, 3], [2, 7, 8, 3])]  # the first prompt of each
        texts = torch.cat([network.text_encoder(ids, torch.ones_like(ids)) for ids in asked])
        expected = network.scores(lowered, texts)
    np.testing.assert_allclose(together, expected, atol=1e-5)
    model.set_concepts({"AF": PROMPTS["AF"]})
    assert not np.allclose(model.predict(batch(2))[:, 0], together[:, 0], rtol=0, atol=1e-7)


def test_two_names_of_one_tensor_are_one_tensor(tmp_path: Path) -> None:
    model = Ked()
    converted(model, in_parts(whole(model)), tmp_path)
    network = model._network
    block = network.ecg_model[4][0]
    assert block.convs is block.convpath[0]
    assert network.model.decoder.norm is network.model.decoder_norm


def test_ked_about_its_own_classes_scores_each_of_them(tmp_path: Path) -> None:
    model = KedOwnLabels()
    with pytest.raises(ModelError, match="Without words"):
        converted(model, in_parts(whole(model)), tmp_path, vocabulary=False)
    converted(model, in_parts(whole(model)), tmp_path)
    assert len(model.card.columns) == 105
    assert model.predict(batch(2)).shape == (2, 105)
    assert "AF" in model.card.outputs
    assert model.card.probabilities
