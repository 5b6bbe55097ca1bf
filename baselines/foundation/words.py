"""Published models that are asked in words: their vocabulary, and what they are to look for.

A checkpoint holds the text encoder but not the vocabulary of its tokeniser, which decides every score. It is
kept beside the weights, so that it is hashed with them and nothing is looked up later.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from baselines.foundation.base import FoundationModel
from benchmark.files import sha256_of, write_atomically
from cohorts.errors import LeadboardError, ModelError

if TYPE_CHECKING:
    import torch

VOCABULARY = "vocab.txt"
LONGEST = 256
"""Tokens of a text, as its authors cut them."""


class AskedInWords(FoundationModel):
    """A model with a BERT as its text encoder; without the vocabulary it has features alone.

    Attributes
    ----------
    text_source
        Hub id of the text encoder that the authors started from; its vocabulary is the model's.
    vocabulary_size
        Words of that vocabulary.

    Parameters
    ----------
    device
        Where to compute, a torch device name.
    text
        A folder with the vocabulary (``vocab.txt``) or a hub id, if it is not to be ``text_source``.
    """

    text_source: ClassVar[str]
    vocabulary_size: ClassVar[int]

    def __init__(self, device: str = "cpu", text: str | None = None) -> None:
        super().__init__(device)
        self._text = text
        self._tokenizer: Any = None
        self._prompts: dict[str, tuple[str, ...]] = {}
        self._asked: torch.Tensor | None = None

    def convert(self, file: str, folder: Path) -> str:
        """Check the authors' file and write what `load` reads; the vocabulary is looked for beside it first.

        Raises
        ------
        ModelError
            If the file does not fit, or the vocabulary that was found is another one.
        """
        return f"{super().convert(file, folder)} {self._keep_vocabulary(file, folder)}"

    def load(self, folder: Path) -> None:
        """Restore what `convert` or `save` wrote, or raise `ModelError`."""
        super().load(folder)
        self._asked = self._tokenizer = None
        if self.card.outputs != self.published.outputs:
            return
        if (folder / VOCABULARY).is_file():
            self._tokenizer = opened(folder / VOCABULARY, self.vocabulary_size)
        else:
            self.card = self.published.with_outputs(())

    def set_concepts(self, prompts: Mapping[str, tuple[str, ...]]) -> None:
        """Take concept id -> descriptions; `predict` then gives one column each, in this order."""
        empty = [concept for concept, texts in prompts.items() if not texts]
        if empty or not prompts:
            raise ModelError(f"{self.card.name} was given no prompt for {empty[0] if empty else 'anything'}.")
        self._prompts = dict(prompts)
        self._asked = None

    def asked(self) -> torch.Tensor:
        """Give what the text encoder makes of the concepts, computed once."""
        import torch

        self._ready()
        if self._tokenizer is None:
            raise ModelError(
                f"{self.card.name} has no vocabulary and cannot be asked in words: put {VOCABULARY} of "
                f"{self.text_source} beside the weights and bring them again with 'leadboard weights'."
            )
        if not self._prompts:
            raise ModelError(f"{self.card.name} does not know what to look for: call set_concepts first.")
        if self._asked is None:
            # Kept for every batch, in whatever precision the first one is asked about.
            with torch.inference_mode(), torch.autocast(torch.device(self._device).type, enabled=False):
                self._asked = self.placed(tuple(self._prompts.values()))
        return self._asked

    @abstractmethod
    def placed(self, prompts: Sequence[tuple[str, ...]]) -> torch.Tensor:
        """Map concepts, each with its descriptions, to what `score` asks with: ``[concepts, width]``."""

    def tokens(self, text: str) -> tuple[torch.Tensor, torch.Tensor]:
        """Give ids and mask ``[1, tokens]`` of a text, in lower case and cut to `LONGEST`.

        The authors pad to this length; padding is masked and changes nothing but the time.
        """
        import torch

        ids = torch.tensor([self._tokenizer(text.lower(), truncation=True, max_length=LONGEST)["input_ids"]])
        ids = ids.to(self._device)
        return ids, torch.ones_like(ids)

    def _keep_vocabulary(self, file: str, folder: Path) -> str:
        from baselines.foundation.hub import located

        beside = Path(file).expanduser()
        beside = (beside if beside.is_dir() else beside.parent) / VOCABULARY
        if self._text is None and beside.is_file():
            source = beside
        else:
            try:
                source = located(self._text or self.text_source, VOCABULARY)
            except LeadboardError:
                if self._text is not None:
                    raise
                return (
                    f"Without words, since the vocabulary of {self.text_source} cannot be reached: "
                    f"put its {VOCABULARY} beside the file and bring both again."
                )
        opened(source, self.vocabulary_size)
        write_atomically(folder / VOCABULARY, source.read_bytes())
        digest = sha256_of(folder / VOCABULARY)
        return f"Asked in words, with a vocabulary of {self.vocabulary_size:,} words (sha256 {digest[:12]})."


def opened(vocabulary: Path, size: int) -> Any:
    """Make the tokeniser of a vocabulary, one word a line.

    Raises
    ------
    ModelError
        If it has not as many words as the text encoder knows, or not the special ones.
    """
    from transformers import BertTokenizer

    try:
        with vocabulary.open(encoding="utf-8") as lines:
            words = {line.rstrip("\n"): number for number, line in enumerate(lines)}
    except (OSError, UnicodeDecodeError) as error:
        raise ModelError(f"{vocabulary} cannot be read as UTF-8 text ({type(error).__name__}).") from None
    special = {"[PAD]", "[UNK]", "[CLS]", "[SEP]"}
    if len(words) != size or not special <= words.keys():
        raise ModelError(
            f"{vocabulary} has {len(words)} words and is not the vocabulary of this text encoder, which has "
            f"{size} with {', '.join(sorted(special))} among them."
        )
    return BertTokenizer(vocab=words)
