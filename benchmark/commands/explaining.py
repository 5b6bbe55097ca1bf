"""Commands about what a model knows: explain one recording, map all of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cyclopts import Parameter

from benchmark.commands.options import (
    HERE,
    CacheOption,
    CohortFiles,
    DataOption,
    ElsewhereOptions,
    Folder,
    ModelName,
    Repeated,
    Seconds,
    Seed,
    Windows,
)
from benchmark.config import find_places
from benchmark.terminal import tell

if TYPE_CHECKING:
    from benchmark.progress import Reporter
    from benchmark.records.record import ResultRecord
    from benchmark.run.reopening import OpenedCell


@Parameter(name="*")
@dataclass(frozen=True, slots=True)
class AgainOptions:
    """How a model of a finished run is asked again.

    Attributes
    ----------
    spec
        Where the model is, if it is not an installed one: path/to/file.py:Class.
    data
        Folder that holds the releases (or LEADBOARD_DATA).
    cohort_file
        Description of a hospital's own cohort (cohort.toml), beside those in leadboard.toml; may be repeated.
    cache
        Folder for prepared cohorts and trained models (or LEADBOARD_CACHE).
    device
        Torch device, such as cpu or cuda; "auto" takes a GPU where there is one.
    batch_size
        Windows per batch; "auto" takes 64, and on a GPU as many as its memory holds.
    deadline
        Seconds that the model may take for a batch.
    """

    spec: ModelName | None = None
    data: DataOption = None
    cohort_file: CohortFiles = ()
    cache: CacheOption = None
    device: str = "auto"
    batch_size: Windows = "auto"
    deadline: Seconds = 300.0

    def reopen(
        self, records: Sequence[ResultRecord], elsewhere: ElsewhereOptions, reporter: Reporter
    ) -> list[OpenedCell]:
        """Find the model and the cohorts of some cells again."""
        from benchmark.protocols.hardware import Hardware
        from benchmark.run.reopening import reopen

        hardware = Hardware(self.device, self.batch_size, 0, self.deadline, elsewhere.fit_deadline)
        environment = elsewhere.environment(self.deadline)
        if environment is None:  # this process cannot tell which devices there are in another one
            hardware.check()
        places = find_places(self.data, self.cache, self.cohort_file)
        return [
            reopen(record, self.spec or record.model.name, places, hardware, reporter, environment)
            for record in records
        ]


AGAIN = AgainOptions()


def explain(
    folder: Folder,
    model: ModelName,
    cohort: str,
    concept: str,
    *,
    record: str,
    out: Folder | None = None,
    seed: Seed = 0,
    again: AgainOptions = AGAIN,
    elsewhere: ElsewhereOptions = HERE,
) -> int:
    """Show what a model looked at when it scored a recording, and test whether that is true.

    Every fifth of a second of every lead is erased in turn; where the score falls most, the model looked. A
    model that offers its gradients gives a second map. The parts are then erased in the order of each map and
    in random orders: a map that is right makes the score fall sooner.

    Parameters
    ----------
    folder
        Folder of the run.
    model
        MODEL, or MODEL/PROTOCOL where the model was evaluated under several.
    cohort
        Of the cell, such as georgia.
    concept
        Of the cell, such as AF.
    record
        Id of the recording.
    out
        Folder for the drawing; by default 'explanations' in the folder of the run.
    seed
        Seed of the random orders.
    """
    from benchmark.files import write_atomically
    from benchmark.progress import Reporter
    from benchmark.records.naming import find_cell
    from benchmark.report.relevance_sheet import as_json, deletion_curves, relevance_sheet
    from benchmark.run.explaining import explain as look
    from benchmark.run.explaining import sentences

    found, reporter = find_cell(folder, model, cohort), Reporter()
    [cell] = again.reopen([found], elsewhere, reporter)
    with reporter.step(f"Asking {found.model.name} about {record}"):
        seen = look(cell, folder, concept, record, seed=seed)
    recording, simulated = cell.store.recording(cell.row_of(record)), found.cohort.simulated
    title = f"{found.model.name}: {concept} in {record} of {cohort}"
    said = sentences(seen, concept, cell.said_of(record, concept))
    pictures = [
        *(relevance_sheet(one, recording, title, said[0], simulated=simulated) for one in seen),
        deletion_curves(seen, title),
    ]
    place = (out or folder / "explanations") / found.model.name / found.protocol / cohort / concept
    file = record.replace("/", "_")
    for picture in pictures:
        write_atomically(place / f"{file}-{picture.name}.svg", picture.svg)
        write_atomically(place / f"{file}-{picture.name}.png", picture.png)
    facts: dict[str, object] = {
        "model": found.model.name,
        "protocol": found.protocol,
        "cohort": cohort,
        "simulated": simulated,
        "concept": concept,
        "record": record,
        "seed": seed,
    }
    write_atomically(place / f"{file}.json", as_json(seen, facts))
    for sentence in said:
        tell(sentence)
    tell(*(f"Drawn: {place / f'{file}-{picture.name}.png'}" for picture in pictures))
    return 0


def feature_map(
    folder: Folder,
    model: ModelName,
    *,
    concept: Repeated = (),
    out: Folder | None = None,
    seed: Seed = 0,
    again: AgainOptions = AGAIN,
    elsewhere: ElsewhereOptions = HERE,
) -> int:
    """Draw what a model keeps apart, and say how much of it is the hospital.

    Features of the recordings of all cohorts of the run are laid out in two dimensions (t-SNE of their
    principal components), coloured by cohort and by concept. The number beside the drawing is the AUROC with
    which a logistic regression on the features tells the cohort of patients that it has not seen.

    Parameters
    ----------
    folder
        Folder of the run.
    model
        MODEL, or MODEL/PROTOCOL where the model was evaluated under several.
    concept
        To colour by; may be repeated. The two most common ones if not given.
    out
        Folder for the drawing; by default 'maps' in the folder of the run.
    seed
        Seed of the sample, of the layout and of the folds.
    """
    from benchmark.files import write_atomically
    from benchmark.progress import Reporter
    from benchmark.records.naming import cells_of
    from benchmark.report.feature_map import feature_picture
    from benchmark.report.text import interval
    from benchmark.run.mapping import map_cells

    records, reporter = cells_of(folder, model), Reporter()
    name = records[0].model.name
    cells = again.reopen(records, elsewhere, reporter)
    with reporter.step(f"Mapping the features of {name}") as progress:
        found = map_cells(cells, concept, progress, seed=seed)
    simulated = any(record.cohort.simulated for record in records)
    picture = feature_picture(found, name, simulated=simulated)
    place = (out or folder / "maps") / name / records[0].protocol
    write_atomically(place / "map.svg", picture.svg)
    write_atomically(place / "map.png", picture.png)
    write_atomically(place / "map.csv", found.points.to_csv(index=False))
    tell(
        f"The hospital is told from the features of {name} with an AUROC of {interval(found.hospital)} "
        f"({len(found.points):,} recordings of {len(found.of_cohort)} cohorts, seed {seed}; 0.5: not at all)."
    )
    for cohort, estimate in found.of_cohort.items():
        tell(f"  {cohort} against the others: {interval(estimate)}")
    tell(f"Drawn: {place / 'map.png'}")
    return 0
