"""Commands about what a model knows: explain one recording, map all of them."""

from __future__ import annotations

from benchmark.commands.options import (
    CacheOption,
    CohortFiles,
    Count,
    DataOption,
    Folder,
    ModelName,
    Repeated,
    Seed,
)
from benchmark.config import find_places
from benchmark.terminal import tell


def explain(
    folder: Folder,
    model: ModelName,
    cohort: str,
    concept: str,
    *,
    record: str,
    spec: ModelName | None = None,
    out: Folder | None = None,
    data: DataOption = None,
    cohort_file: CohortFiles = (),
    cache: CacheOption = None,
    seed: Seed = 0,
    device: str = "cpu",
    batch_size: Count = 64,
) -> int:
    """Show what a model looked at when it scored a recording, and test whether that is true.

    Every fifth of a second of every lead is erased in turn; where the score falls most, the model looked. The
    parts are then erased in the order of the map and in random order: a map that is right makes the score
    fall sooner.

    Parameters
    ----------
    folder
        Folder of the run.
    model
        MODEL, or MODEL/PROTOCOL where the model was evaluated under several.
    cohort, concept
        Of the cell, such as georgia and AF.
    record
        Id of the recording.
    spec
        Where the model is, if it is not an installed one: path/to/file.py:Class.
    out
        Folder for the drawing; by default 'explanations' in the folder of the run.
    data
        Folder that holds the releases (or LEADBOARD_DATA).
    cohort_file
        Description of a hospital's own cohort (cohort.toml), beside those in leadboard.toml; may be repeated.
    cache
        Folder for prepared cohorts and trained models (or LEADBOARD_CACHE).
    seed
        Seed of the random orders.
    device
        Torch device, such as cpu or cuda.
    batch_size
        Windows per batch.
    """
    from benchmark.files import write_atomically
    from benchmark.progress import Reporter
    from benchmark.protocols.hardware import Hardware
    from benchmark.records.naming import find_cell
    from benchmark.report.occlusion_sheet import as_json, deletion_curve, occlusion_sheet
    from benchmark.run.explaining import explain as look
    from benchmark.run.explaining import sentences
    from benchmark.run.reopening import reopen

    found = find_cell(folder, model, cohort)
    hardware = Hardware(device=device, batch_size=batch_size)
    hardware.check()
    reporter = Reporter()
    cell = reopen(found, spec or found.model.name, find_places(data, cache, cohort_file), hardware, reporter)
    with reporter.step(f"Asking {found.model.name} about {record}"):
        seen = look(cell, folder, concept, record, seed=seed)
    recording, simulated = cell.store.recording(cell.row_of(record)), found.cohort.simulated
    title = f"{found.model.name}: {concept} in {record} of {cohort}"
    said = sentences(seen, concept, cell.said_of(record, concept))
    pictures = [
        occlusion_sheet(seen, recording, title, said[0], simulated=simulated),
        deletion_curve(seen, title),
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
    tell(f"Drawn: {place / f'{file}-occlusion.png'}")
    return 0


def feature_map(
    folder: Folder,
    model: ModelName,
    *,
    concept: Repeated = (),
    spec: ModelName | None = None,
    out: Folder | None = None,
    data: DataOption = None,
    cohort_file: CohortFiles = (),
    cache: CacheOption = None,
    seed: Seed = 0,
    device: str = "cpu",
    batch_size: Count = 64,
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
    spec
        Where the model is, if it is not an installed one: path/to/file.py:Class.
    out
        Folder for the drawing; by default 'maps' in the folder of the run.
    data
        Folder that holds the releases (or LEADBOARD_DATA).
    cohort_file
        Description of a hospital's own cohort (cohort.toml), beside those in leadboard.toml; may be repeated.
    cache
        Folder for prepared cohorts and trained models (or LEADBOARD_CACHE).
    seed
        Seed of the sample, of the layout and of the folds.
    device
        Torch device, such as cpu or cuda.
    batch_size
        Windows per batch.
    """
    from benchmark.files import write_atomically
    from benchmark.progress import Reporter
    from benchmark.protocols.hardware import Hardware
    from benchmark.records.naming import cells_of
    from benchmark.report.feature_map import feature_picture
    from benchmark.report.text import interval
    from benchmark.run.mapping import map_cells
    from benchmark.run.reopening import reopen

    records = cells_of(folder, model)
    hardware = Hardware(device=device, batch_size=batch_size)
    hardware.check()
    reporter, places = Reporter(), find_places(data, cache, cohort_file)
    name = records[0].model.name
    cells = [reopen(record, spec or name, places, hardware, reporter) for record in records]
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
