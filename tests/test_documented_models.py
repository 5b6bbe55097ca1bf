"""docs/models.md: what it says of each published model, and what it has its reader type."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import huggingface_hub
import pytest

from baselines.ecgclip.published import LICENCE
from baselines.networks import ecgfounder
from benchmark.commands.model_list import model_rows
from benchmark.models.plugins import find_model
from docs.generate.model_pages import section_of
from tests.baselines.official_files import published_models, write_official
from tests.documented import Typed, blocks, commands, section, sessions, type_session, typing_at
from tests.releases import write_challenge, write_ptb_xl

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs/models.md").read_text(encoding="utf-8")
TYPES = {
    "docs/models.md": ["From the authors' file to a table", "Trained here, on request"],
    "README.md": ["Published models beside yours"],
}
ASKED, SHOWN = blocks(section(PAGE, "From the authors' file to a table"), "console")
(TRAINED,) = blocks(section(PAGE, "Trained here, on request"), "console")
"""The commands as anybody types them, and a session with what it prints."""


def brought(session: str) -> dict[str, str]:
    """The files of a session, by the model that they are for."""
    words = (shlex.split(line) for line, _ in sessions(session))
    return {name: file for _, command, name, _, file, *_ in words if command == "weights"}


@pytest.fixture(scope="module")
def rows(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Any]]:
    """What `leadboard models` says of the published models where no weights are."""
    found = model_rows(tmp_path_factory.mktemp("empty"))
    return {row["name"]: row for row in found if row["kind"] == "published"}


def facts_of(name: str) -> str:
    """The list of command, licence and training that names a model: there is one."""
    lists = [text for text in PAGE.split("\n\n") if text.startswith("- `leadboard weights ")]
    (found,) = (text for text in lists if re.search(rf"[` ]{re.escape(name)}[` ]", text))
    return " ".join(found.split())


def test_every_published_model_has_a_paragraph_its_command_and_its_licence(
    rows: dict[str, dict[str, Any]],
) -> None:
    assert set(published_models()) < set(rows)
    for name, row in rows.items():
        told = facts_of(name)
        text = section(PAGE, section_of(name, PAGE)).strip()
        assert re.match(r"[A-Z`]", text), name
        assert len(text.partition("\n\n")[0]) > 100, name
        (command,) = (one for one in row["commands"] if one.startswith("leadboard weights "))
        assert f"`{command}`" in told or f"`{name}`" in told.partition("; the same for ")[2], name
        assert f" --file {command.rpartition(' ')[2]}`" in told, name
        licence = LICENCE.rstrip(".") if name.startswith("ecgclip") else row["licence"]
        (stated,) = re.findall(r"- licence: (.+?) - trained on: ", told)
        assert stated.casefold() == licence.casefold(), name


def test_readme_brings_in_three_published_models_as_the_page_does() -> None:
    readme = section((ROOT / "README.md").read_text(encoding="utf-8"), "Published models beside yours")
    assert "(docs/models.md)" in readme
    (shown,) = blocks(readme, "console")
    assert SHOWN.startswith(shown)  # which is typed below
    files = brought(shown)
    assert len(files) == 3
    run = next(line for line, _ in sessions(shown) if line.startswith("leadboard run"))
    for name, file in files.items():
        model = find_model(name).build("cpu")
        assert file == model.layout.file or file == model.weights_file
        assert f"--model {name} " in run


@pytest.fixture
def desk(tmp_path: Path) -> Path:
    return tmp_path


@pytest.fixture
def types(desk: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Iterator[Typed]:
    yield from typing_at(desk, monkeypatch, capfd)


@pytest.mark.slow  # a network is trained, and another fine-tuned three times
@pytest.mark.timeout(3600)
def test_what_to_type_is_typed_with_a_narrow_network_on_the_hub(
    types: Typed, desk: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ecgfounder, "WIDTHS", (16,) * len(ecgfounder.WIDTHS))
    monkeypatch.setattr(ecgfounder.EcgFounder, "width", 16)
    official = write_official(find_model("ecgfounder").build("cpu"), desk / "official")

    def fetched(source: str, name: str, revision: str | None) -> str:
        assert (source, name, revision) == ("PKUDigitalHealth/ECGFounder", official.name, None)
        return str(official)

    monkeypatch.setattr(huggingface_hub, "hf_hub_download", fetched)
    write_ptb_xl(desk / "RELEASES", records=60)
    write_challenge(desk / "RELEASES", records=12)
    weights, check, run = commands(f"```console\n{ASKED}```\n")
    assert "ecgfounder, 509 tensors, from 12_lead_ECGFounder.pth" in types(weights)
    assert " passed, 0 failed, " in types(check)
    told = types(run)
    assert re.search(r"^(\d+) of \1 cells computed now, 0 failed\.$", told, re.MULTILINE), told


@pytest.mark.slow  # a network of a hundred layers is trained for 50 epochs: a minute and more
@pytest.mark.timeout(3600)
def test_what_is_trained_on_request_is_trained(types: Typed, desk: Path) -> None:
    write_ptb_xl(desk / "RELEASES", records=60)
    write_challenge(desk / "RELEASES", records=12)
    (run,) = commands(f"```console\n{TRAINED}```\n")
    told = types(run)
    assert re.search(r"^(\d+) of \1 cells computed now, 0 failed\.$", told, re.MULTILINE), told


@pytest.mark.slow  # networks of 30 million parameters look at 600 recordings
@pytest.mark.timeout(3600)
def test_the_session_is_typed_with_random_numbers_in_the_authors_layout(
    types: Typed, desk: Path, shared: Path
) -> None:
    (desk / "RELEASES").symlink_to(shared / "data")
    for name, file in brought(SHOWN).items():
        write_official(find_model(name).build("cpu"), desk / "official").rename(desk / file)
    # Features that have learnt nothing: the rounding of another processor changes the order of some records.
    type_session(SHOWN, types, within=0.005)
