"""What is made once and kept in the cache: trained, pre-trained, probed or converted weights."""

from __future__ import annotations

import hashlib
import logging
import shutil
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from benchmark.files import sweep, write_atomically
from benchmark.models.model_card import ModelCard
from benchmark.models.worker.handing import FOLDER
from benchmark.models.worker.standalone import hash_of_file
from benchmark.records.record import Pretraining, Training
from cohorts.errors import LeadboardError
from cohorts.locks import alone

logger = logging.getLogger("leadboard")


def sha256_of_folder(folder: Path) -> str:
    """Hash names and contents of all files below a folder; a file that has not changed is read once."""
    digest = hashlib.sha256()
    for path in sorted(p for p in folder.rglob("*") if p.is_file()):
        digest.update(path.relative_to(folder).as_posix().encode() + b"\0")
        digest.update(bytes.fromhex(hash_of_file(path)[0]))
    return digest.hexdigest()


class DamagedError(LeadboardError):
    """Weights in the cache are not what was put there."""


class WeightsFacts(BaseModel):
    """What a folder of weights is, and how it was made.

    Attributes
    ----------
    card
        Of the model with these weights.
    training, pretraining
        How the suite made them, where it did.
    origin
        One sentence about published weights.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    card: ModelCard
    training: Training | None = None
    pretraining: Pretraining | None = None
    origin: str | None = None


class _Made(WeightsFacts):
    """``made.json``: written last, so its presence says that the weights are complete."""

    weights_sha256: str


@dataclass(frozen=True, slots=True)
class Artifact:
    """A folder of weights that is there whole or not at all."""

    folder: Path

    @property
    def done(self) -> bool:
        """Whether the weights are there."""
        return (self.folder / "made.json").is_file()

    def is_whole(self) -> bool:
        """Whether the weights are there as they were made; damaged ones are said, and count as not made.

        Only for what the suite has made and can make again, not for what the user brought.
        """
        if not self.done:
            return False
        try:
            self.read()
        except DamagedError as error:
            logger.warning("%s; they are made again.", error)
            (self.folder / "made.json").unlink(missing_ok=True)
            return False
        return True

    @property
    def weights(self) -> Path:
        """The folder that a model loads."""
        return self.folder / "weights"

    def make(self, work: Callable[[Path, Path], WeightsFacts], *, again: bool = False) -> None:
        """Make the weights, unless they are there; a call that was cut off is gone on with.

        Two processes never work at the same weights: one waits, and finds them made or goes on with what
        the other one left.

        Parameters
        ----------
        work
            Given a folder for checkpoints, as an earlier call left it, and an empty one for the
            weights.
        again
            Whether weights that are there are made again, and replaced once the new ones are whole.
        """
        with alone(self.folder / ".lock", f"making the weights in {self.folder}"):
            if again or not self.done:
                self._make(work)

    def _make(self, work: Callable[[Path, Path], WeightsFacts]) -> None:
        unfinished, made = self.folder / "unfinished", self.folder / "made.json"
        try:
            sweep((self.folder,))
            for kind in (".weights.*", f"{FOLDER}*"):  # of processes that were killed: the lock is ours
                for left in self.folder.glob(kind):
                    shutil.rmtree(left)
            unfinished.mkdir(exist_ok=True)
            weights = Path(tempfile.mkdtemp(dir=self.folder, prefix=".weights."))
        except OSError as error:
            raise LeadboardError(
                f"Cannot write {self.folder}: {error.strerror}; free some space, or choose another cache "
                "folder with LEADBOARD_CACHE."
            ) from error
        try:
            about = work(unfinished, weights)
            made.unlink(missing_ok=True)
            if self.weights.exists():  # earlier ones, or of a process that died before it could note them
                shutil.rmtree(self.weights)
            weights.rename(self.weights)
        finally:
            shutil.rmtree(weights, ignore_errors=True)
        facts = _Made(**about.__dict__, weights_sha256=sha256_of_folder(self.weights))
        write_atomically(made, facts.model_dump_json(indent=2) + "\n")
        shutil.rmtree(unfinished)

    def read(self) -> tuple[WeightsFacts, str]:
        """Give what the weights are and their hash, after comparing it with the files.

        Raises
        ------
        DamagedError
            If they are not those that were saved; a sentence without its full stop.
        """
        try:
            made = _Made.model_validate_json((self.folder / "made.json").read_bytes())
            found = sha256_of_folder(self.weights)
        except (OSError, ValidationError) as error:
            words = error.strerror if isinstance(error, OSError) else "made.json is not what was written"
            raise DamagedError(f"The weights in {self.folder} are damaged ({words})") from error
        if found != made.weights_sha256:
            raise DamagedError(f"The weights in {self.weights} are not those that were saved")
        return made, made.weights_sha256
