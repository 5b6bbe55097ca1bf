"""Published image-text models that look at a picture of the recording."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from baselines.clip_image.hub import Loaded, fetch, keep, readable_errors, restore
from benchmark.models.contract import Batch, Floats
from benchmark.models.model_card import InputSpec, ModelCard
from cohorts.errors import ModelError

if TYPE_CHECKING:
    import torch

TEMPLATES = ("a 12-lead ECG showing {}", "an electrocardiogram with {}", "an ECG tracing: {}")
"""Sentences around a prompt; a concept's text embedding is the mean over all of them."""

AT_ONCE = 32
"""Pictures in the network at a time, whatever the size of the batch: it bounds the memory."""


class ClipImage:
    """CLIP or SigLIP on a picture of the 12-lead page, asked with sentences.

    Parameters
    ----------
    device
        A torch device name.
    layout, grid
        Of the picture, as in `baselines.clip_image.rendering.render`.
    """

    weights_file = "openai/clip-vit-base-patch32"
    bfloat16 = True

    def __init__(self, device: str = "cpu", *, layout: str = "3x4", grid: str = "pink") -> None:
        self.card = ModelCard(
            name="clip-image",
            description="General image-text model (CLIP, SigLIP) that looks at the 12-lead page. Not "
            "trained on ECG recordings as far as its authors state; what it saw on the web is undisclosed.",
            licence="that of the published weights",
            citation="Radford et al. Learning Transferable Visual Models From Natural Language Supervision. "
            "ICML 2021. arXiv:2103.00020; Zhai et al. Sigmoid Loss for Language Image Pre-Training. "
            "ICCV 2023. arXiv:2303.15343",
            input=InputSpec(sampling_rate=500, seconds=10),
            outputs="any",
            trained_on="undisclosed",
        )
        self._device = device
        self._layout = layout
        self._grid = grid
        self._loaded: Loaded | None = None
        self._prompts: dict[str, tuple[str, ...]] = {}
        self._concepts: torch.Tensor | None = None

    def convert(self, file: str, folder: Path) -> str:
        """Check published weights and copy them with all that belongs to them into ``folder``.

        Parameters
        ----------
        file
            A folder in the Hugging Face layout, or a hub id, optionally with ``@revision``. Only
            safetensors are read.
        folder
            Made if it is not there.

        Raises
        ------
        ModelError
            If it cannot be reached, or what is there is not a whole CLIP or SigLIP model.
        """
        loaded = fetch(file)
        self._try_out(loaded, file)
        facts = keep(loaded, folder)
        millions = sum(weights.numel() for weights in loaded.network.parameters()) / 1e6
        return (
            f"{file} is a {type(loaded.network).__name__} of {millions:.1f} million parameters "
            f"for pictures of {facts.size} x {facts.size} pixels."
        )

    def load(self, folder: Path) -> None:
        """Restore what `convert` wrote, or raise `ModelError`."""
        loaded = restore(folder)
        loaded.network.to(self._device)
        self._loaded = loaded
        self._concepts = None
        self.card = self.card.model_copy(update={"version": loaded.facts.sha256[:12]})

    def set_concepts(self, prompts: Mapping[str, tuple[str, ...]]) -> None:
        """Take concept id -> descriptions; `predict` then gives one column each, in this order."""
        empty = [concept for concept, texts in prompts.items() if not texts]
        if empty or not prompts:
            raise ModelError(f"{self.card.name} was given no prompt for {empty[0] if empty else 'anything'}.")
        self._prompts = dict(prompts)
        self._concepts = None

    def predict(self, batch: Batch) -> Floats:
        """Score float32 ``[records, concepts]``: cosines of picture and text embeddings."""
        import torch

        loaded = self._ready()
        if not self._prompts:
            raise ModelError(f"{self.card.name} does not know what to look for: call set_concepts first.")
        features = self._pictures(loaded, batch).float()
        # In whole precision: cosines in bfloat16 would be full of ties.
        with torch.autocast(features.device.type, enabled=False):
            if self._concepts is None:
                means = [_sentences(loaded, texts).mean(dim=0) for texts in self._prompts.values()]
                self._concepts = torch.nn.functional.normalize(torch.stack(means), dim=-1)
            return _numbers(torch.nn.functional.normalize(features, dim=-1) @ self._concepts.T)

    def embed(self, batch: Batch) -> Floats:
        """Give float32 ``[records, features]``: picture embeddings, not normalised."""
        return _numbers(self._pictures(self._ready(), batch))

    def _ready(self) -> Loaded:
        if self._loaded is None:
            raise ModelError(f"{self.card.name} has no weights: convert published ones and load them first.")
        return self._loaded

    def _pictures(self, loaded: Loaded, batch: Batch) -> torch.Tensor:
        """Embeddings ``[records, features]`` of the pictures of a batch."""
        import torch

        starts = range(0, len(batch), AT_ONCE)
        return torch.cat([self._look(loaded, batch.signals[at : at + AT_ONCE]) for at in starts])

    def _look(self, loaded: Loaded, signals: Floats) -> torch.Tensor:
        import torch

        from baselines.clip_image.rendering import SIZES, render

        facts, spec = loaded.facts, self.card.input
        size = min(max(facts.size, SIZES[0]), SIZES[-1])
        drawn = render(
            signals, spec.sampling_rate, spec.leads, size=size, layout=self._layout, grid=self._grid
        )
        pixels = torch.from_numpy(drawn).to(loaded.network.device).float() / 255
        if size != facts.size:
            pixels = torch.nn.functional.interpolate(
                pixels, (facts.size, facts.size), mode="bicubic", antialias=True
            ).clamp(0, 1)
        mean, std = (pixels.new_tensor(three).view(3, 1, 1) for three in (facts.mean, facts.std))
        with torch.inference_mode():
            features: torch.Tensor = loaded.network.get_image_features((pixels - mean) / std).pooler_output
        return features

    def _try_out(self, loaded: Loaded, file: str) -> None:
        """Raise `ModelError` unless pictures and sentences can be compared."""
        spec = self.card.input
        empty = np.zeros((1, len(spec.leads), spec.samples), dtype=np.float32)
        with readable_errors(file, "network"):
            picture = self._look(loaded, empty)
            one, other = (_sentences(loaded, [text]) for text in ("normal ECG", "atrial fibrillation"))
        finite = bool(picture.isfinite().all() & one.isfinite().all())
        if picture.shape[-1] != one.shape[-1] or not finite:
            raise ModelError(f"{file}: its embeddings of pictures and of sentences cannot be compared.")
        if bool((one == other).all()):
            raise ModelError(
                f"{file}: its tokenizer makes the same tokens of two sentences; is its vocabulary there?"
            )


def _sentences(loaded: Loaded, prompts: Sequence[str]) -> torch.Tensor:
    """Unit embeddings ``[templates * prompts, features]``."""
    import torch

    texts = [template.format(prompt) for prompt in prompts for template in TEMPLATES]
    tokens = loaded.tokenizer(
        texts,
        padding="max_length",  # as SigLIP was trained; CLIP's text is causal and does not see what follows
        truncation=True,
        max_length=loaded.facts.tokens,
        return_tensors="pt",
    )
    with torch.inference_mode():
        ids = tokens["input_ids"].to(loaded.network.device)
        features: torch.Tensor = loaded.network.get_text_features(ids).pooler_output
        return torch.nn.functional.normalize(features, dim=-1)


def _numbers(tensor: torch.Tensor) -> Floats:
    numbers: Floats = tensor.float().cpu().numpy()
    return numbers
