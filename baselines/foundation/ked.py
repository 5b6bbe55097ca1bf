"""KED: signals, clinical words, and a network that asks the ones about the others."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from baselines.foundation.layout import Layout
from baselines.foundation.maps import own_labels
from baselines.foundation.words import AskedInWords
from benchmark.models.model_card import InputSpec, ModelCard
from cohorts.errors import ModelError

if TYPE_CHECKING:
    import torch

    from baselines.networks.ked import Ked as Network

# aVF before aVL: its training recordings are those of MIMIC-IV-ECG, which it was given as they are stored.
LEADS = ("I", "II", "III", "aVR", "aVF", "aVL", "V1", "V2", "V3", "V4", "V5", "V6")

_FACTS: dict[str, Any] = {
    "version": "1",
    "licence": "Not stated, neither for code nor for weights",
    "citation": "Tian et al. Foundation model of ECG diagnosis: Diagnostics and explanations of any form and "
    "rhythm on ECG. Cell Reports Medicine 2024. doi:10.1016/j.xcrm.2024.101875",
    "input": InputSpec(sampling_rate=500, seconds=10, leads=LEADS),
    "probabilities": True,
    "trained_on": ("mimic-iv-ecg",),
    "parameters": 163_656_580,
}


class Ked(AskedInWords):
    """KED asked about the concepts of a run.

    Its classes attend to each other, so that the score of one concept depends on which others are asked about
    with it. Scores of runs with different concepts cannot be compared.
    """

    published = ModelCard(
        name="ked",
        description="KED (xresnet1d101, ClinicalBERT and a query network) asked with the first description "
        "of each concept. A score depends on the whole list of concepts that are asked about together.",
        outputs="any",
        **_FACTS,
    )
    repository = "https://github.com/control-spiderman/ECGFM-KED"
    weights_file = "best_valid_all_increase_with_augment_epoch_3.pt"
    layout = Layout(
        file=weights_file,
        parts=("ecg_model", "text_encoder", "model"),
        aliases={r"\.convpath\.0\.": ".convs.", r"^model\.decoder\.norm\.": "model.decoder_norm."},
        # Older versions of transformers save the numbers 0 to 511, newer ones count them again.
        ignored=(r"text_encoder\.bert_model\.embeddings\.position_ids",),
    )
    text_source = "emilyalsentzer/Bio_ClinicalBERT"
    vocabulary_size = 28996

    def build(self) -> Network:
        """Build the three parts."""
        from baselines.networks import ked

        return ked.Ked(ked.published_text())

    def prepare(self, signals: torch.Tensor) -> torch.Tensor:
        """Resample from 500 to 100 Hz; nothing is filtered or normalised."""
        from baselines.foundation.resampling import fourier_lower

        return fourier_lower(signals, signals.shape[-1] // 5).unsqueeze(1)

    def placed(self, prompts: Sequence[tuple[str, ...]]) -> torch.Tensor:
        """Map the first description of each concept, its plain name, as in the authors' tests."""
        import torch

        encoder = self._ready().text_encoder
        return torch.cat([encoder(*self.tokens(texts[0])) for texts in prompts])

    def score(self, windows: torch.Tensor) -> torch.Tensor:
        """Give the chance that each concept is present."""
        scores: torch.Tensor = self._ready().scores(windows, self.asked())
        return scores


class KedOwnLabels(Ked):
    """KED asked about the 105 classes of its pre-training, all together and always in the same order."""

    published = ModelCard.model_validate(
        {
            "name": "ked-105",
            "description": "KED asked about the 105 classes of its pre-training, always all of them: a score "
            "depends on the whole list. Classes of one concept are joined by the maximum.",
            "labels": own_labels("ked"),
            **_FACTS,
        }
    )

    def convert(self, file: str, folder: Path) -> str:
        """Check the authors' file and write what `load` reads; it needs the vocabulary.

        Raises
        ------
        ModelError
            If the file does not fit, or there is no vocabulary.
        """
        sentence = super().convert(file, folder)
        self.load(folder)
        if not self.card.outputs:
            raise ModelError(sentence)
        return sentence

    def load(self, folder: Path) -> None:
        """Restore what `convert` wrote, or raise `ModelError`."""
        super().load(folder)
        self.set_concepts({label: (label,) for label in self.published.columns})
