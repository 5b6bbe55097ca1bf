"""Models whose dual encoder is pre-trained on pairs."""

from __future__ import annotations

import logging
from collections.abc import Sequence

from baselines.contrastive.model import DualEncoderModel
from baselines.training.recipes import PretrainRecipe, Recipe
from benchmark.models.contract import ModelCard, Pairs, PretrainSettings
from cohorts.errors import ModelError

logger = logging.getLogger("leadboard")


class ContrastiveModel(DualEncoderModel):
    """A dual encoder that is pre-trained on pairs.

    Parameters
    ----------
    pretraining
        How to pre-train.
    small
        Whether a run may pre-train it without being asked to.
    """

    def __init__(
        self,
        card: ModelCard,
        pretraining: PretrainRecipe,
        fitting: Recipe,
        device: str = "cpu",
        text: str | None = None,
        *,
        tuned: bool = False,
        small: bool = False,
    ) -> None:
        super().__init__(card, fitting, pretraining.dim, device, text, tuned=tuned)
        self.pretraining = pretraining
        self.small = small

    def pretrain(
        self, training: Sequence[Pairs], validation: Sequence[Pairs], settings: PretrainSettings
    ) -> None:
        """Learn from pairs; ``validation`` decides the epoch. Resumes what an earlier call left."""
        import torch

        from baselines.contrastive.data import gather_pairs
        from baselines.contrastive.module import Contrastive
        from baselines.training.lightning_run import train

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
            network = self._build(settings.device)
        module = Contrastive(
            network, self.augment, pairs["training"], pairs["validation"], self.pretraining, settings
        )
        train(
            module,
            settings.device,
            settings.precision,
            processes=self.pretraining.processes,
            accumulate_grad_batches=self.pretraining.accumulate,
        )
        self._become(self._prompted, network=network)
