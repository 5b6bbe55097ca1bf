"""Models whose dual encoder is pre-trained on pairs."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from baselines.contrastive.model import DualEncoderModel
from baselines.training.recipe_files import Recipes
from benchmark.models.contract import Pairs, PretrainSettings
from benchmark.models.model_card import ModelCard
from cohorts.errors import ModelError

logger = logging.getLogger("leadboard")

RECIPE = "recipe.json"
"""What pre-trained weights were made by, and are to be fine-tuned by."""


class ContrastiveModel(DualEncoderModel):
    """A dual encoder that is pre-trained on pairs.

    Parameters
    ----------
    recipes
        How to pre-train and fine-tune, unless a recipe says otherwise.
    small
        Whether a run may pre-train it without being asked to.
    """

    def __init__(
        self,
        card: ModelCard,
        recipes: Recipes,
        device: str = "cpu",
        text: str | None = None,
        *,
        tuned: bool = False,
        small: bool = False,
    ) -> None:
        pretraining = replace(recipes.pretraining, tuned=tuned or recipes.pretraining.tuned)
        super().__init__(card, recipes.fine_tuning, pretraining.dim, device, text, tuned=pretraining.tuned)
        self.pretraining = pretraining
        self.augmentation = recipes.augmentation
        self.small = small

    @property
    def recipes(self) -> Recipes:
        """How it is trained now."""
        return Recipes(self.pretraining, self.fitting, self.augmentation)

    def complete_recipe(self, given: Mapping[str, Any]) -> Mapping[str, Any]:
        """Check a recipe, and add what it leaves as it is; see `baselines.training.recipe_files.Recipes`."""
        return self.recipes.with_changes(given).tables

    def pretrain(
        self, training: Sequence[Pairs], validation: Sequence[Pairs], settings: PretrainSettings
    ) -> None:
        """Learn from pairs; ``validation`` decides the epoch. Resumes what an earlier call left."""
        import torch

        from baselines.contrastive.data import gather_pairs
        from baselines.contrastive.module import Contrastive
        from baselines.training.lightning_run import train

        self._follow(settings.recipe)
        parts = {"training": training, "validation": validation}
        pairs = {
            part: gather_pairs(cohorts, tuple(settings.prompts), self.prepare, settings.folder, part)
            for part, cohorts in parts.items()
        }
        name, least = self.card.name, {"training": 2 * self.pretraining.processes, "validation": 1}
        for part, found in pairs.items():
            sentence = "%s: %d %s records with a report, %d without one are left out"
            logger.info(sentence, name, len(found), part, found.left_out)
            if len(found) < least[part]:
                raise ModelError(
                    f"{name} needs {least[part]} {part} records with a report at least and was given "
                    f"{len(found)}: choose other cohorts to pre-train on."
                )
        with torch.random.fork_rng([]):
            torch.manual_seed(settings.seed)
            network = self._build(
                settings.device,
                temperature=self.pretraining.temperature,
                least_temperature=self.pretraining.least_temperature,
            )
        module = Contrastive(
            network, self.augment, pairs["training"], pairs["validation"], self.pretraining, settings
        )
        train(module, settings.device, settings.precision, processes=self.pretraining.processes)
        self._become(self._prompted, network=network)

    def save(self, folder: Path) -> None:
        """Write what `DualEncoderModel.save` does, and the recipe beside pre-trained weights."""
        super().save(folder)
        if self._classifier is None:
            text = json.dumps(self.recipes.tables, indent=2) + "\n"
            (folder / RECIPE).write_text(text, encoding="utf-8")

    def load(self, folder: Path) -> None:
        """Restore what `save` wrote, the recipe included, or raise `ModelError`."""
        file = folder / RECIPE
        if file.is_file():
            self._follow(json.loads(file.read_text(encoding="utf-8")))
        super().load(folder)

    def _follow(self, recipe: Mapping[str, Any]) -> None:
        """Do from now on what a recipe says."""
        chosen = self.recipes.with_changes(recipe)
        self.pretraining, self.fitting, self.augmentation = (
            chosen.pretraining,
            chosen.fine_tuning,
            chosen.augmentation,
        )
        self.dim, self._tuned = chosen.pretraining.dim, chosen.pretraining.tuned
