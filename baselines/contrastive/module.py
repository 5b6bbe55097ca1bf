"""Contrastive pre-training of a dual encoder."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import asdict
from itertools import pairwise
from typing import Any

import numpy as np
import torch

from baselines.contrastive.data import PairBatches, PairedRecords, flat
from baselines.contrastive.dual_encoder import DualEncoder, mean_of_sentences
from baselines.contrastive.loss import contrastive_loss
from baselines.contrastive.parts import by_parts
from baselines.contrastive.retrieval import recall_at
from baselines.text.reports import Ids
from baselines.training.lightning_run import ResumableTraining
from baselines.training.recipes import PretrainRecipe
from baselines.training.schedule import one_cycle
from baselines.training.whole import in_parts
from benchmark.models.contract import PretrainSettings
from benchmark.models.labels import macro_auroc
from cohorts.hashing import hash_of_json

DEPTHS = (1, 5, 10)
VALIDATION_BATCH = 256  # the loss depends on how many others there are


class Contrastive(ResumableTraining):
    """The pre-training of one dual encoder.

    Parameters
    ----------
    network
        The dual encoder, in its initial state.
    augment
        Changes prepared recordings in training.
    training, validation
        Pairs; the labels of the latter are of the concepts in ``settings.prompts``, in their order.
    recipe, settings
        How to train; checkpoints go to ``settings.folder``.
    """

    network: DualEncoder
    training_table: torch.Tensor
    validation_table: torch.Tensor

    def __init__(
        self,
        network: DualEncoder,
        augment: Callable[[torch.Tensor], torch.Tensor],
        training: PairedRecords,
        validation: PairedRecords,
        recipe: PretrainRecipe,
        settings: PretrainSettings,
    ) -> None:
        identity = {
            "seed": settings.seed,
            "recipe": asdict(recipe),
            "precision": settings.precision,
            "training reports": training.reports.digest,
            "validation reports": validation.reports.digest,
            "prompts": hash_of_json(dict(settings.prompts)),
        }
        super().__init__(network, recipe.name, recipe.epochs, settings.seed, settings.folder, identity)
        self.augment = augment
        self.training_pairs = training
        self.validation_pairs = validation
        self.recipe = recipe
        self.prompts: Mapping[str, tuple[str, ...]] = settings.prompts
        self.steps = recipe.steps(len(training))
        tables = [network.reader.embed(pairs.reports.sentences) for pairs in (training, validation)]
        network.centre_texts(tables[0])
        self.register_buffer("training_table", tables[0], persistent=False)
        self.register_buffer("validation_table", tables[1], persistent=False)

    def train_dataloader(self) -> PairBatches:
        """Batches of the epoch that is about to begin."""
        seed = (self.seed, self.current_epoch)
        share = self.trainer.global_rank, self.trainer.world_size
        return PairBatches(self.training_pairs, self.steps, self.recipe.whole, seed, *share)

    def configure_optimizers(self) -> Any:
        """AdamW with a one-cycle schedule over the whole training, moved on after every step."""
        recipe = self.recipe
        steps = recipe.epochs * self.steps
        groups = list(_parameter_groups(self.network, recipe))
        optimiser = torch.optim.AdamW(groups)
        peaks = [group["lr"] for group in groups]
        schedule = one_cycle(optimiser, peaks, steps, recipe.warm_up, cycle_momentum=False)
        return {"optimizer": optimiser, "lr_scheduler": schedule}

    def training_step(self, batch: tuple[torch.Tensor, ...], index: int) -> torch.Tensor:
        """Compute the loss of one batch; what is drawn depends on the numbers of epoch, step and process."""
        prepared, ids, offsets, groups = batch
        self.seed_step(self.current_epoch, index, self.global_rank)
        varied = self.augment(prepared)
        # Batch normalisation cannot take a single recording.
        parts = max(min(self.recipe.parts, len(varied) // 2), 1)
        signals = by_parts(self.network, self.network.place_signals, torch.tensor_split(varied, parts))
        texts = self._place_reports(ids, offsets, parts, index)
        loss = contrastive_loss(
            signals, texts, groups, self.network.scale(), self._gather, rank=self.global_rank
        )
        self.losses.append(loss.detach())
        return loss

    def on_train_batch_end(self, *_: Any) -> None:
        """Keep the temperature in its range."""
        self.network.limit_scale()

    def _gather(self, tensor: torch.Tensor) -> torch.Tensor:
        if self.trainer.world_size == 1:
            return tensor
        gathered: Any = self.all_gather(tensor, sync_grads=tensor.requires_grad)
        return torch.cat(list(gathered))

    def _place_reports(
        self, ids: torch.Tensor, offsets: torch.Tensor, parts: int, index: int
    ) -> torch.Tensor:
        """Place the reports of a training batch, by parts where the encoder learns from them."""
        network, reports = self.network, self.training_pairs.reports
        if not network.reader.tuned:
            return network.place_texts(mean_of_sentences(self.training_table, ids, offsets))
        texts = reports.texts(ids.cpu().numpy(), offsets.cpu().numpy())
        bounds = np.linspace(0, len(texts), parts + 1).astype(int)

        def place(part: tuple[int, list[str]]) -> torch.Tensor:
            number, some = part
            self.seed_step(self.current_epoch, index, self.global_rank, number)  # recomputed alike
            return network.place_texts(network.reader(some))

        return by_parts(network, place, [(at, texts[a:b]) for at, (a, b) in enumerate(pairwise(bounds))])

    @torch.no_grad()
    def validate(self) -> tuple[float, str]:
        """Take the loss; retrieval and zero-shot AUROC are looked at.

        An epoch that was chosen by labels would not be zero-shot.
        """
        self.network.eval()
        pairs = self.validation_pairs
        signals = torch.cat(
            [in_parts(self.network.place_signals, prepared, self.device) for prepared in pairs.maps()]
        )
        texts = torch.cat(list(self._validation_texts()))
        groups = torch.from_numpy(pairs.reports.groups).to(self.device)
        loss = self._validation_loss(signals, texts, groups)
        recalls = [recall_at(signals, texts, groups, DEPTHS), recall_at(texts, signals, groups, DEPTHS)]
        to_text, to_signal = ("/".join(f"{share:.3f}" for share in shares) for shares in recalls)
        words = f"loss {loss:.4f}, recall@1/5/10 of texts {to_text}, of signals {to_signal}"
        auroc = self._zero_shot(signals)
        if auroc is not None:
            words += f", zero-shot macro AUROC {auroc:.4f}"
        self.network.train()
        return -loss, words

    def _validation_texts(self) -> Iterator[torch.Tensor]:
        reports = self.validation_pairs.reports
        for start in range(0, len(reports), VALIDATION_BATCH):
            rows = range(start, min(start + VALIDATION_BATCH, len(reports)))
            ids, offsets = flat([reports.of_record(row) for row in rows])
            yield self.network.place_texts(self._read_validation(ids, offsets))

    def _read_validation(self, ids: Ids, offsets: Ids) -> torch.Tensor:
        if self.network.reader.tuned:
            texts = self.validation_pairs.reports.texts(ids, offsets)
            vectors: torch.Tensor = self.network.reader(texts)
            return vectors
        place = [torch.from_numpy(numbers).to(self.device) for numbers in (ids, offsets)]
        return mean_of_sentences(self.validation_table, *place)

    def _validation_loss(self, signals: torch.Tensor, texts: torch.Tensor, groups: torch.Tensor) -> float:
        losses = []
        for start in range(0, len(signals), VALIDATION_BATCH):
            some = slice(start, start + VALIDATION_BATCH)
            loss = contrastive_loss(signals[some], texts[some], groups[some], self.network.scale())
            losses.append(loss * len(groups[some]))
        return torch.stack(losses).sum().item() / len(signals)

    def _zero_shot(self, signals: torch.Tensor) -> float | None:
        """Average the macro AUROC over the cohorts that have one."""
        if not self.prompts:
            return None
        scores = (signals @ self.network.place_concepts(self.prompts).T).cpu().numpy()
        found, start = [], 0
        for labels in self.validation_pairs.labels:
            auroc = macro_auroc(labels, scores[start : start + len(labels)])
            start += len(labels)
            if auroc is not None:
                found.append(auroc)
        return sum(found) / len(found) if found else None


def _parameter_groups(network: DualEncoder, recipe: PretrainRecipe) -> Iterable[dict[str, Any]]:
    """Split the parameters by learning rate, and by whether they are drawn towards 0."""
    of_text = {id(parameter) for parameter in network.text.parameters()} if network.text else set()
    learnt = [parameter for parameter in network.parameters() if parameter.requires_grad]
    for text, rate in ((False, recipe.learning_rate), (True, recipe.text_learning_rate)):
        for matrix, decay in ((True, recipe.weight_decay), (False, 0.0)):
            group = [
                parameter
                for parameter in learnt
                if (id(parameter) in of_text) == text and (parameter.ndim > 1) == matrix
            ]
            if group:
                yield {"params": group, "lr": rate, "weight_decay": decay}
