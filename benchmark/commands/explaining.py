"""Commands about what stands behind a number: explain it, map what a model keeps apart."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from benchmark.commands.elsewhere import HERE, ElsewhereOptions
from benchmark.commands.options import (
    Folder,
    JsonOption,
    ModelName,
    Repeated,
    Seed,
    print_json,
)
from benchmark.commands.reopening import AGAIN, AgainOptions
from benchmark.config import find_places
from benchmark.terminal import tell
from cohorts.counts import plural

if TYPE_CHECKING:
    from benchmark.records.record import ResultRecord
    from benchmark.report.style import Picture
    from benchmark.run.reopening import OpenedCell
    from cohorts.labelled import LabelledCohorts

Maps = Annotated[bool, Parameter(name="--map", negative="--no-map")]


def explain(
    folder: Folder,
    model: ModelName,
    cohort: str,
    concept: str,
    *,
    record: str | None = None,
    maps: Maps = True,
    out: Folder | None = None,
    seed: Seed = 0,
    as_json: JsonOption = False,
    again: AgainOptions = AGAIN,
    elsewhere: ElsewhereOptions = HERE,
) -> int:
    """Show where one number comes from, from the release to its interval; exit code 1 if something differs.

    The folder of the run says most of it. With the release, the statements behind the labels are counted and
    the number is computed once more. With --record it is the chain of one ECG, which is drawn; then the
    model is asked what it looked at: every fifth of a second of every lead is erased in turn, and where the
    score falls most, it looked. A model that offers its gradients gives a second map. Each map is tested: the
    parts are erased in its order and in random ones, and a map that is right makes the score fall sooner.

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
        Id of a recording.
    maps
        With --record, whether the model is asked again; it takes its weights and some minutes.
    out
        Folder for drawings; by default 'explanations' in the folder of the run.
    seed
        Seed of the random orders.
    as_json
        Print JSON.
    """
    from benchmark.commands.chains import print_chain, verify_command
    from benchmark.progress import Reporter
    from benchmark.records.naming import find_cell
    from benchmark.records.run_folder import cell_path
    from benchmark.report.chain.chain import chain_of
    from benchmark.run.cohorts import labelled

    found, reporter = find_cell(folder, model, cohort), Reporter()
    places = find_places(again.data, again.cache, again.cohort_file)
    cohorts = labelled(places, reporter)
    chain = chain_of(folder, found, concept, cohorts, record)
    path = cell_path(folder, found.model.name, found.protocol, cohort)
    verify = verify_command(path, again.data or places.data, again.cohort_file, again.cache)
    if not as_json:
        print_chain(chain, verify)
    content = chain.as_json() | {"verify": verify}
    if record is not None:
        place = (out or folder / "explanations") / found.model.name / found.protocol / cohort / concept
        drawing = _Drawing(found, concept, record, place)
        said = drawing.sheet(cohorts)
        if maps:
            [cell] = again.reopen([found], elsewhere, reporter)
            with reporter.step(f"Asking {found.model.name} about {record}"):
                said += drawing.maps(cell, folder, seed)
        content["said"] = said
        if not as_json:
            tell("", *said)
    if as_json:
        print_json(content)
    return 1 if chain.differs else 0


@dataclass(frozen=True, slots=True)
class _Drawing:
    """What is drawn of one recording, and where."""

    found: ResultRecord
    concept: str
    record: str
    place: Path

    @property
    def title(self) -> str:
        return f"{self.found.model.name}: {self.concept} in {self.record} of {self.found.cohort.id}"

    def sheet(self, cohorts: LabelledCohorts) -> list[str]:
        """Draw the ECG, if its signal is here; gives what to say of it."""
        from benchmark.report.chain.recording import position_of
        from benchmark.report.ecg_sheet import sheet
        from cohorts.labelled import signals_read
        from cohorts.store import Store

        facts = self.found.cohort
        store = cohorts(facts.id) if signals_read(facts.fingerprint) else None
        position = None if store is None else position_of(store, self.record)
        if not isinstance(store, Store) or position is None or store.fingerprint != facts.fingerprint:
            return []
        drawn = sheet(store.recording(position), self.title, simulated=facts.simulated, name="sheet")
        said = self._written([drawn])
        if store.card.access != "open":
            said.append(f"{store.card.id} is {store.card.access}: the drawing may not be passed on.")
        return said

    def maps(self, cell: OpenedCell, folder: Path, seed: int) -> list[str]:
        """Draw what the model looked at; gives what to say of it."""
        from benchmark.files import write_atomically
        from benchmark.report.relevance_sheet import as_json, deletion_curves, relevance_sheet
        from benchmark.run.explaining import explain as look
        from benchmark.run.explaining import sentences

        seen = look(cell, folder, self.concept, self.record, seed=seed)
        recording = cell.store.recording(cell.row_of(self.record))
        said = sentences(seen, self.concept, cell.said_of(self.record, self.concept))
        simulated = self.found.cohort.simulated
        pictures = [
            *(relevance_sheet(one, recording, self.title, said[0], simulated=simulated) for one in seen),
            deletion_curves(seen, self.title),
        ]
        facts: dict[str, object] = {
            "model": self.found.model.name,
            "protocol": self.found.protocol,
            "cohort": self.found.cohort.id,
            "simulated": simulated,
            "concept": self.concept,
            "record": self.record,
            "seed": seed,
        }
        write_atomically(self.place / f"{self._file}.json", as_json(seen, facts))
        return [*said, *self._written(pictures)]

    @property
    def _file(self) -> str:
        return self.record.replace("/", "_")

    def _written(self, pictures: Sequence[Picture]) -> list[str]:
        from benchmark.files import write_atomically

        for picture in pictures:
            write_atomically(self.place / f"{self._file}-{picture.name}.svg", picture.svg)
            write_atomically(self.place / f"{self._file}-{picture.name}.png", picture.png)
        return [f"Drawn: {self.place / f'{self._file}-{picture.name}.png'}" for picture in pictures]


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
    from benchmark.run.mapping import FEWEST, map_cells, too_small

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
        f"({plural(len(found.points), 'recording')} of {plural(len(found.of_cohort), 'cohort')}, seed "
        f"{seed}; 0.5: not at all)."
    )
    for cohort, estimate in found.of_cohort.items():
        tell(f"  {cohort} against the others: {interval(estimate)}")
    for cohort in too_small(cells):
        tell(f"  left out: {cohort}: fewer than {FEWEST} recordings")
    tell(f"Drawn: {place / 'map.png'}")
    return 0
