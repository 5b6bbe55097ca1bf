"""A page for every model that comes with Leadboard: its card, what it can be asked, how its weights come."""

from __future__ import annotations

import functools
import re
import tempfile
from pathlib import Path
from typing import Any

from benchmark.commands.model_list import kind_of, model_rows
from benchmark.models.known_models import find_known
from benchmark.models.model_source import ModelSource
from benchmark.models.plugins import find_model
from benchmark.protocols.protocol import possible
from docs.generate.cohort_pages import published, slug
from docs.generate.markup import NOTHING, code, console, facts, plain, table

_OURS = "baselines."
_KINDS = {
    "published": "weights of its authors, which you bring",
    "pre-trained": "pre-trained here on signals and reports",
    "trained": "trained here on labels",
    "control": "a control: what chance or a shortcut achieves",
    "complete": "complete as it is",
}
_HEAD = """\
# Models

The {count} models that come with Leadboard, by their cards. `leadboard models` lists them with whatever
else is installed and says which weights are on your machine. [Published models](../models.md) tells what
is special about each family. No number of any of these is a published result of somebody else's model.
ECGCLIP's weights are not public: every `ecgclip` here was trained by this suite, and no published ECGCLIP
figure is claimed.

"""

Row = dict[str, Any]


def pages(guide: str) -> dict[str, str]:
    """Give the Markdown of the overview and of each model, by place.

    Parameters
    ----------
    guide
        Content of docs/models.md, whose sections the pages link to.
    """
    return {
        "models/index.md": overview(),
        **{f"models/{row['name']}.md": page(row, section_of(row["name"], guide)) for row in rows()},
    }


@functools.cache
def rows() -> list[Row]:
    """Give what `leadboard models --json` says of the models of this project, where no weights are."""
    with tempfile.TemporaryDirectory() as empty:
        return [row for row in model_rows(Path(empty)) if row["from"].startswith(_OURS)]


def overview() -> str:
    """Write the table of all models."""
    cells = [
        (
            f"[{code(row['name'])}]({row['name']}.md)",
            plain(row["kind"]),
            ", ".join(map(plain, row["asked"])),
            f"{len(row['input']['leads'])}",
            f"{row['input']['seconds']:g}",
            f"{row['input']['sampling_rate']:g}",
            _millions(row["parameters"]),
            seen(row),
            plain(row["licence"] or "not stated"),
        )
        for row in rows()
    ]
    head = ("name", "kind", "asked by", "leads", "s", "Hz", "parameters", "trained on", "licence")
    return _HEAD.format(count=len(cells)) + table(head, cells) + "\n"


def page(row: Row, section: str) -> str:
    """Write the page of one model; ``section`` is the heading of its family in docs/models.md, or empty."""
    source = find_model(row["name"])
    known = find_known(row["name"])
    card = facts(
        (
            ("Kind", plain(_KINDS[kind_of(source)])),
            ("Abilities", ", ".join(sorted(plain(one) for one in source.abilities)) or "predict and no more"),
            ("[Protocols](../protocols.md)", ", ".join(map(plain, protocols(source)))),
            ("Input", in_words(row["input"])),
            ("Leads", ", ".join(map(plain, row["input"]["leads"]))),
            ("Long recordings", plain(row["input"]["long_records"])),
            ("Parameters", _millions(row["parameters"])),
            ("Outputs", outputs(row["outputs"])),
            ("Scores are", "probabilities" if source.card.probabilities else "scores of any scale"),
            ("Trained on", seen(row)),
            ("Source of that", plain(known.source) if known and _same(known.trained_on, row) else ""),
            ("Control for", plain(source.card.control_for or "")),
            ("Licence", plain(row["licence"] or "not stated")),
            ("Cite", plain(row["citation"] or "")),
            ("Made by", code(row["from"])),
        )
    )
    parts = [f"# {plain(row['name'])}", plain(row["description"]), card]
    if section:
        parts.append(f"More about it: [{plain(section)}](../models.md#{anchor(section)}).")
    parts += ["## Run it", how_to_run(row)]
    if row["own_labels"]:
        parts += ["## What its own labels mean here", label_map(row["own_labels"])]
    return "\n\n".join(parts) + "\n"


def how_to_run(row: Row) -> str:
    """Write the commands from the weights to the leaderboard."""
    run = f"leadboard run --data RELEASES --model {row['name']}"
    if any(command.startswith("leadboard pretrain") for command in row["commands"]):
        said = "Pre-train it here, COHORT being the one to learn from"
        said += ", or bring weights of its authors." if len(row["commands"]) > 1 else "."
        return f"{said}\n\n{console(*row['commands'])}\n\nThen:\n\n{console(run)}"
    if row["kind"] == "published":
        said = "Its weights do not come with Leadboard: fetch the authors' file, and hand it over once."
        check = f"leadboard check {row['name']}"
        return f"{said}\n\n{console(*row['commands'], check, run)}"
    return console(run)


def protocols(source: ModelSource) -> list[str]:
    """Name what the model can be asked."""
    pretrainable = source.small and "Pretrainable" in source.abilities
    found = possible(source.abilities, source.card.outputs, may_pretrain=pretrainable)
    usual = source.usual_protocols
    return [protocol.name for protocol in found if usual is None or protocol.name in usual]


def outputs(names: str | list[str]) -> str:
    """Say which concepts it scores."""
    if isinstance(names, str):
        return "any concept, asked in words"
    return f"{len(names)}: {', '.join(map(code, names))}" if names else "those that it is trained for"


def seen(row: Row) -> str:
    """Say which cohorts its weights have seen, with links to those that have a page."""
    trained_on: str | list[str] = row["trained_on"]
    if isinstance(trained_on, str):
        return plain(trained_on)
    links = [
        f"[{code(name)}](../cohorts/{name}.md)" if name in published() else code(name) for name in trained_on
    ]
    return ", ".join(links) or plain(row["learns_from"])


def in_words(spec: Row) -> str:
    """Say what it is given."""
    leads, seconds, rate = len(spec["leads"]), spec["seconds"], spec["sampling_rate"]
    return f"{leads} leads, {seconds:g} s at {rate:g} Hz in {plain(spec['unit'])}"


def label_map(labels: list[Row]) -> str:
    """Write which concept each of its labels means."""
    cells = [
        (
            plain(one["label"]),
            code(one["concept"]) if one["concept"] else NOTHING,
            one["relation"],
            plain(one["note"]),
        )
        for one in labels
    ]
    return table(("label", "concept", "relation", "note"), cells)


def section_of(name: str, guide: str) -> str:
    """Find the heading of docs/models.md below which a model is named; "" if it is below none."""
    found = ""
    for part in re.split(r"^#{1,2} ", guide, flags=re.MULTILINE)[1:]:
        title, _, text = part.partition("\n")
        if re.search(rf"(?:`|leadboard weights ){re.escape(name)}(?:`| )", text):
            found = found or title
    return found


def anchor(title: str) -> str:
    """Give a heading the form that it has in an address."""
    return slug(re.sub(r"[^\w\s-]", "", title))


def _same(trained_on: object, row: Row) -> bool:
    """Whether a registry speaks of the weights that the card speaks of."""
    stated = row["trained_on"]
    return trained_on == (stated if isinstance(stated, str) else tuple(stated))


def _millions(parameters: int | None) -> str:
    return NOTHING if parameters is None else f"{parameters / 1e6:,.1f} million"
