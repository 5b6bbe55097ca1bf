"""MERL: signals and reports of MIMIC-IV-ECG in one space, asked in words."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from baselines.foundation.base import FineTunable
from baselines.foundation.layout import Layout
from baselines.foundation.words import AskedInWords
from benchmark.models.model_card import InputSpec, ModelCard

if TYPE_CHECKING:
    import torch
    from transformers import BertConfig

# aVF before aVL, as MIMIC-IV-ECG stores them: see baselines.networks.merl, which is not imported for a name.
LEADS = ("I", "II", "III", "aVR", "aVF", "aVL", "V1", "V2", "V3", "V4", "V5", "V6")
ENCODER = "ecg_encoder."
# Older versions of transformers save the numbers 0 to 511, newer ones count them again.
COUNTED = r"lm_model\.embeddings\.position_ids"


def _card(name: str, encoder: str, parameters: int) -> ModelCard:
    return ModelCard(
        name=name,
        version="1",
        description=f"MERL ({encoder} and MedCPT) with its authors' weights: zero-shot scores are cosines of "
        "recording and prompt.",
        licence="Code MIT; that of the weights is not stated",
        citation="Liu et al. Zero-Shot ECG Classification with Multimodal Learning and Test-time "
        "Clinical Knowledge Enhancement. ICML 2024. arXiv:2403.06659",
        input=InputSpec(sampling_rate=500, seconds=10, leads=LEADS),
        outputs="any",
        trained_on=("mimic-iv-ecg",),
        parameters=parameters,
    )


class _Merl(AskedInWords, FineTunable):
    """Either of the two.

    The authors publish a file of the whole model and one of its signal encoder alone; with the second there
    are features and no words.
    """

    repository = "https://github.com/cheliu-computation/MERL-ICML2024"
    text_source = "ncbi/MedCPT-Query-Encoder"
    vocabulary_size = 30522

    def __init__(self, device: str = "cpu", text: str | None = None) -> None:
        super().__init__(device, text)
        self._whole = True

    @abstractmethod
    def network(self, text: BertConfig | None) -> Any:
        """Build the network, with a text encoder or without."""

    def build(self) -> Any:
        """Build what the file holds: the whole network, or its signal encoder."""
        from baselines.networks.merl import published_text

        return self.network(published_text()) if self._whole else self.trained_part(self.network(None))

    def trained_part(self, network: Any) -> Any:
        """Give the signal encoder."""
        from baselines.networks.merl import SignalSide

        alone = isinstance(network, SignalSide)
        return network if alone else SignalSide(network.ecg_encoder, network.width)

    def convert(self, file: str, folder: Path) -> str:
        """Check either of the authors' files and write what `load` reads."""
        from baselines.foundation.official import tensors_of

        self._whole = any(name.startswith(ENCODER) for name in tensors_of(file, self.layout))
        if self._whole:
            return super().convert(file, folder)
        self.layout = replace(self.layout, renamed={"^": "encoder."})
        sentence = FineTunable.convert(self, file, folder)
        return f"{sentence} It is the signal encoder alone, without words: the whole is {self.weights_file}."

    def load(self, folder: Path) -> None:
        """Restore what `convert` or `save` wrote, or raise `ModelError`."""
        from baselines.foundation.official import shapes

        self._whole = any(name.startswith(ENCODER) for name in shapes(folder))
        super().load(folder)

    def prepare(self, signals: torch.Tensor) -> torch.Tensor:
        """Bring each recording to [0, 1], all its leads together."""
        from baselines.foundation.preparation import min_max

        return min_max(signals).unsqueeze(1)

    def placed(self, prompts: Sequence[tuple[str, ...]]) -> torch.Tensor:
        """Place each concept where the mean of its descriptions is, each of them of length 1."""
        import torch

        network = self._ready()
        means = [
            torch.cat(
                [torch.nn.functional.normalize(network.embed_texts(*self.tokens(text))) for text in texts]
            ).mean(dim=0)
            for texts in prompts
        ]
        return torch.stack(means)

    def score(self, windows: torch.Tensor) -> torch.Tensor:
        """Give the cosine of each recording and each concept."""
        from baselines.networks.merl import cosine_scores

        return cosine_scores(self._ready().embed_signals(windows), self.asked())


class MerlResNet18(_Merl):
    """MERL with its ResNet-18."""

    published = _card("merl", "ResNet-18", 114_270_858)
    weights_file = "res18_best_ckpt.pth"
    layout = Layout(file=weights_file, ignored=(COUNTED,))
    size = "resnet18"

    def network(self, text: BertConfig | None) -> Any:
        """Build the network, with a text encoder or without."""
        from baselines.networks.merl import Merl

        return Merl(text)


class MerlVitTiny(_Merl):
    """MERL with its vision transformer, the setting that its authors' code has as the default."""

    published = _card("merl-vit-tiny", "ViT-tiny", 115_432_576)
    weights_file = "vit_tiny_best_ckpt.pth"
    layout = Layout(file=weights_file, ignored=(COUNTED,))
    size = "vit-tiny"

    def network(self, text: BertConfig | None) -> Any:
        """Build the network, with a text encoder or without."""
        from baselines.networks.merl import MerlVit

        return MerlVit(text)
