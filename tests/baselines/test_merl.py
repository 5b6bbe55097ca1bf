"""MERL computes what the published model computes, and the test would notice if it did not."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from baselines.ecgclip.encoder import ResidualEncoder
from baselines.foundation.preparation import min_max
from baselines.networks.merl import (
    LEADS,
    AttentionPool,
    Merl,
    MerlVit,
    cosine_scores,
    published_text,
)
from cohorts.recording import STANDARD_LEADS
from tests.baselines import golden as known
from tests.baselines.golden import TOLERANCE, error, fill, published_state, signals, state_of


def texts() -> tuple[torch.Tensor, torch.Tensor]:
    return known.texts(30522)


@pytest.fixture(scope="module")
def checkpoints(shared: Path) -> Path:
    return shared / "facts" / "checkpoints"


def test_the_whole_model(checkpoints: Path) -> None:
    model = Merl(published_text()).eval()
    fill(model)
    assert state_of(model) == published_state(checkpoints / "merl_resnet18_state_dict.csv")
    with torch.inference_mode():
        output, projected = model.embed_signals(signals(12, 5000)), model.embed_texts(*texts())
        found = {
            "output": output,
            "embedding": model.features(signals(12, 5000)),
            "text_pooled": model.pool_texts(*texts()),
            "text_proj": projected,
            "scores": cosine_scores(output, projected),
        }
    golden = checkpoints / "merl_resnet18_golden_a.npz"
    assert error(found, golden) <= TOLERANCE
    model.proj_t[1] = nn.GELU(approximate="tanh")
    with torch.inference_mode():
        assert error({"text_proj": model.embed_texts(*texts())}, golden) > TOLERANCE
        ids, mask = texts()
        assert error({"text_pooled": model.pool_texts(ids, torch.ones_like(mask))}, golden) > TOLERANCE


def filled() -> Any:
    model = Merl()
    fill(model)
    return model.eval()


def error_of(model: Merl, golden: Path) -> float:
    with torch.inference_mode():
        return error({"output": model.embed_signals(signals(12, 5000))}, golden)


class PositionOnce(AttentionPool):
    """The query token as one would expect it."""

    def forward(self, frames: torch.Tensor) -> torch.Tensor:
        self.cls_token.data -= self.positional_embedding[:, :1].data
        return super().forward(frames)


class AllQueries(AttentionPool):
    """Every token asks, and the mean of the answers counts."""

    def forward(self, frames: torch.Tensor) -> torch.Tensor:
        query = self.cls_token + self.positional_embedding[:, :1]
        tokens = torch.cat([query.expand(len(frames), -1, -1), frames.transpose(1, 2)], dim=1)
        tokens = tokens + self.positional_embedding
        answer: torch.Tensor = self.c_proj(self.mhsa(tokens, tokens, tokens)[0].mean(dim=1))
        return answer


def replace_head(model: Any, head: nn.Module) -> None:
    head.load_state_dict(model.att_pool_head.state_dict())
    model.att_pool_head = head


def other_heads(model: Any) -> None:
    model.att_pool_head.mhsa.num_heads, model.att_pool_head.mhsa.head_dim = 8, 32


def swapped_leads(model: Any) -> None:
    order = [STANDARD_LEADS.index(lead) for lead in LEADS]
    model.ecg_encoder.conv1.weight.data = model.ecg_encoder.conv1.weight.data[:, order]


CHANGES = {
    "position once": lambda model: replace_head(model, PositionOnce()),
    "all queries": lambda model: replace_head(model, AllQueries()),
    "eight heads": other_heads,
    "last projection": lambda model: setattr(model.att_pool_head, "c_proj", nn.Identity()),
    "activation behind downconv": lambda model: setattr(
        model, "downconv", nn.Sequential(model.downconv, nn.ReLU())
    ),
    "standard lead order": swapped_leads,
}


def test_the_signal_side_alone(checkpoints: Path) -> None:
    model = filled()
    published = dict(published_state(checkpoints / "merl_resnet18_state_dict.csv"))
    assert not [name for name, _ in state_of(model) if name.startswith(("lm_model.", "proj_t."))]
    assert all(published[name] == shape for name, shape in state_of(model))
    assert error_of(model, checkpoints / "merl_resnet18_golden_a.npz") <= TOLERANCE


@pytest.mark.parametrize("change", CHANGES)
def test_one_changed_layer_is_noticed(checkpoints: Path, change: str) -> None:
    model = filled()
    CHANGES[change](model)
    assert error_of(model, checkpoints / "merl_resnet18_golden_a.npz") > TOLERANCE


VIT_CHANGES = {
    "activation": lambda model: model.ecg_encoder.block7.ff.fn.net.__setitem__(1, nn.ReLU()),
    "normalised before the mean": lambda model: normalised_first(model.ecg_encoder),
    "no activation": lambda model: model.proj_e.__setitem__(2, nn.Identity()),
    "standard lead order": lambda model: setattr(
        model.ecg_encoder.to_patch_embedding,
        "weight",
        nn.Parameter(model.ecg_encoder.to_patch_embedding.weight[:, [0, 1, 2, 3, 5, 4, *range(6, 12)]]),
    ),
}


def normalised_first(encoder: Any) -> None:
    norm, encoder.norm = encoder.norm, nn.Identity()
    through = encoder.through_blocks
    encoder.through_blocks = lambda tokens: norm(through(tokens))


def vit_error(model: MerlVit, golden: Path) -> float:
    with torch.inference_mode(), np.load(golden, allow_pickle=False) as file:
        output = model.embed_signals(signals(12, 5000))
        texts = torch.from_numpy(file["text_proj"]).float()
        found = {
            "output": output,
            "embedding": model.features(signals(12, 5000)),
            "scores": cosine_scores(output, texts),
        }
        return error(found, golden)


def filled_vit() -> Any:
    model = MerlVit()
    fill(model)
    return model.eval()


def test_the_vision_transformer(checkpoints: Path) -> None:
    with torch.device("meta"):
        whole = MerlVit(published_text())
    assert state_of(whole) == published_state(checkpoints / "merl_vit_tiny_state_dict.csv")
    assert vit_error(filled_vit(), checkpoints / "merl_vit_tiny_golden_a.npz") <= TOLERANCE


@pytest.mark.parametrize("change", VIT_CHANGES)
def test_one_changed_layer_of_the_vision_transformer_is_noticed(checkpoints: Path, change: str) -> None:
    model = filled_vit()
    with torch.no_grad():
        VIT_CHANGES[change](model)
    assert vit_error(model, checkpoints / "merl_vit_tiny_golden_a.npz") > TOLERANCE


def probe_error(network: Any, golden: Path) -> float:
    with torch.inference_mode():
        features = network.features(signals(12, 5000))
        return error({"embedding": features, "output": network.linear(features)}, golden)


def test_the_encoder_with_a_linear_probe(checkpoints: Path) -> None:
    network = ResidualEncoder(18, leads=12, outputs=5).eval()
    fill(network)
    golden = checkpoints / "merl_linear_resnet18_golden_a.npz"
    assert state_of(network) == published_state(checkpoints / "merl_linear_resnet18_state_dict.csv")
    assert probe_error(network, golden) <= TOLERANCE
    first: Any = network.get_submodule("layer2.0")
    first.conv1.stride, first.conv2.stride = (1,), (2,)
    assert probe_error(network, golden) > TOLERANCE


def test_leads_are_in_the_order_of_mimic() -> None:
    assert sorted(LEADS) == sorted(STANDARD_LEADS)
    assert LEADS[3:6] == ("aVR", "aVF", "aVL")


@pytest.mark.parametrize("offset", [0.0, 100.0])
def test_min_max_takes_all_leads_of_a_record_together(offset: float) -> None:
    rng = np.random.default_rng(0)
    x = (rng.standard_normal((3, 12, 50)) * rng.uniform(0.1, 2, (3, 12, 1)) + offset).astype(np.float32)
    x[1, 4] = 0
    expected = [(one - one.min()) / (one.max() - one.min() + 1e-8) for one in x.astype(np.float64)]
    found = min_max(torch.from_numpy(x)).numpy()
    np.testing.assert_allclose(found, np.stack(expected), atol=1e-6)
    np.testing.assert_allclose(found[1], min_max(torch.from_numpy(x[1:2])).numpy()[0], atol=0)


def test_a_flat_record_becomes_zero() -> None:
    found = min_max(torch.full((2, 12, 50), 3.5))
    assert found.isfinite().all()
    assert not found.any()


def test_cosines_do_not_depend_on_length() -> None:
    rng = torch.Generator().manual_seed(0)
    a, b = torch.randn(4, 256, generator=rng), torch.randn(3, 256, generator=rng)
    scores = cosine_scores(a, b)
    torch.testing.assert_close(cosine_scores(7 * a, 0.1 * b), scores)
    torch.testing.assert_close(cosine_scores(a, a).diagonal(), torch.ones(4))
