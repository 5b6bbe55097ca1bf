"""Command about pairs of models: compare."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from benchmark.commands.options import (
    CacheOption,
    CohortFiles,
    DataOption,
    Folder,
    JsonOption,
    print_json,
)
from benchmark.config import DEFAULT_RUN, find_places
from benchmark.terminal import tell
from cohorts.counts import plural

if TYPE_CHECKING:
    from benchmark.metrics.estimates import PairedDifference
    from benchmark.report.pairwise import Comparison


def compare(
    first: str,
    second: str,
    folder: Folder = DEFAULT_RUN,
    *,
    data: DataOption = None,
    cohort_file: CohortFiles = (),
    cache: CacheOption = None,
    as_json: JsonOption = False,
) -> int:
    """Compare two models of a run, paired: on each cohort, on each concept, and pooled over cohorts.

    Parameters
    ----------
    first
        MODEL, or MODEL/PROTOCOL where the model was evaluated under several.
    second
        The one that is taken from it, named likewise.
    folder
        Folder of the run, or of submissions.
    data
        Folder that holds the releases (or LEADBOARD_DATA), for DeLong's test beside the bootstrap.
        Submissions are not compared without it.
    cohort_file
        Description of a hospital's own cohort (cohort.toml), beside those in leadboard.toml; may be repeated.
    cache
        Folder for prepared cohorts (or LEADBOARD_CACHE).
    as_json
        Print JSON.
    """
    from benchmark.progress import Reporter
    from benchmark.report.pairwise import compare_models
    from benchmark.run.cohorts import labelled

    places = find_places(data, cache, cohort_file)
    stores = labelled(places, Reporter()) if places.have_releases else None
    found = compare_models(folder, first, second, stores)
    if as_json:
        print_json(found)
    else:
        _show(found)
    return 0


def _show(found: Comparison) -> None:
    from benchmark.commands.printing import print_table

    rows: list[dict[str, Any]] = []
    for cohort, one in found.cohorts.items():
        name = f"{cohort} (simulated)" if cohort in found.simulated else cohort
        relations = one.relations[0] if len(set(one.relations)) == 1 else " / ".join(one.relations)
        rows.append({"cohort": name, "relation": relations, "records": one.scored})
        rows[-1] |= {"concepts": len(one.macro_concepts), "macro AUROC": _shown(one.auroc), **_p(one.auroc)}
        rows[-1]["macro AUPRC"] = "–" if one.auprc is None else _shown(one.auprc)
    tell(f"{found.first} minus {found.second}")
    print_table(rows)
    if found.pooled_over:
        over, p = len(found.pooled_over), _text(found.pooled.p)
        tell(f"Pooled over {over} external: {_shown(found.pooled)}, p {p}")
    else:
        tell("Not pooled: no cohort is external to both.")
    tell("")
    print_table(
        [
            {
                "cohort": cohort,
                "concept": name,
                "n": concept.n,
                "positives": concept.positives,
                "first": f"{concept.first:.3f}",
                "second": f"{concept.second:.3f}",
                "bootstrap": _shown(concept.bootstrap),
                **_p(concept.bootstrap),
                **({} if concept.delong is None else {"DeLong": _shown(concept.delong)}),
                **({} if concept.delong is None else _p(concept.delong, "DeLong p")),
            }
            for cohort, one in found.cohorts.items()
            for name, concept in one.concepts.items()
        ]
    )
    tell(
        f"[low, high]: 95 %, from {plural(found.resamples, 'shared resample')}, seed {found.seed}. p values "
        "are two-sided; (Holm) is adjusted for all tests in its column."
    )
    for cohort, why in found.refused.items():
        tell(f"Not compared on {cohort}: {why}.")
    for note in found.notes:
        tell(note)


def _p(difference: PairedDifference, name: str = "p") -> dict[str, str]:
    return {name: _text(difference.p), f"{name} (Holm)": _text(difference.p_holm)}


def _text(p: float | None) -> str:
    return "–" if p is None else "<0.001" if p < 0.001 else f"{p:.3f}"


def _shown(difference: PairedDifference) -> str:
    if difference.value is None:
        return "–"
    if difference.low is None or difference.high is None:
        return f"{difference.value:+.3f} [–]"
    return f"{difference.value:+.3f} [{difference.low:+.3f}, {difference.high:+.3f}]"
