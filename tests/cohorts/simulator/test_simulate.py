"""The entry of the simulator: what it writes where, again and again, and what it refuses."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import pytest

from cohorts.errors import LeadboardError, UnknownNameError, UsageError
from cohorts.simulator.simulate import RELEASES, simulate
from cohorts.simulator.sites import SITES


def headers(folder: Path) -> list[Path]:
    return sorted(folder.rglob("*.hea"))


def digest(folder: Path) -> str:
    state = hashlib.sha256()
    for path in sorted(p for p in folder.rglob("*") if p.is_file()):
        state.update(path.relative_to(folder).as_posix().encode() + path.read_bytes())
    return state.hexdigest()


def test_same_seed_same_bytes_whatever_else_is_simulated(tmp_path: Path) -> None:
    names = ["georgia", "ludb", "ptb-xl"]
    simulate(tmp_path / "a", seed=2, sites=names, scale=0.03)
    simulate(tmp_path / "b", seed=2, sites=names[1:], scale=0.03)
    simulate(tmp_path / "c", seed=3, sites=["ludb"], scale=0.03)
    for name in names[1:]:
        folder = RELEASES[name].folder
        assert digest(tmp_path / "a" / folder) == digest(tmp_path / "b" / folder)
    assert digest(tmp_path / "a" / "ludb") != digest(tmp_path / "c" / "ludb")


def test_default_suite_is_broad() -> None:
    default = [name for name, release in RELEASES.items() if release.default]
    assert len(default) >= 11
    assert default[0] == "ptb-xl"
    assert all(SITES[site].records >= 90 for name in default for site in RELEASES[name].sites)
    assert SITES["ptb-xl"].records >= 950


def test_returns_folders_and_tells_progress(tmp_path: Path) -> None:
    told: list[tuple[int, int]] = []
    folders = simulate(tmp_path, sites=["sph", "georgia"], scale=0.02, progress=lambda *now: told.append(now))
    assert folders == [tmp_path / "sph", tmp_path / "challenge-2021" / "training" / "georgia"]
    assert told == [(done, 8) for done in range(1, 9)]


def test_again_into_the_same_folder(tmp_path: Path) -> None:
    simulate(tmp_path, sites=["ludb"], scale=0.1)
    simulate(tmp_path, sites=["ludb"], scale=0.05)
    assert len(headers(tmp_path)) == round(0.05 * SITES["ludb"].records)


def test_real_files_are_never_overwritten(tmp_path: Path) -> None:
    (tmp_path / "ludb").mkdir()
    (tmp_path / "ludb" / "ludb.csv").write_text("ID\n")
    with pytest.raises(UsageError, match="not simulated"):
        simulate(tmp_path, sites=["ludb"], scale=0.05)
    assert (tmp_path / "ludb" / "ludb.csv").read_text() == "ID\n"


@pytest.mark.parametrize(
    ("call", "message"),
    [
        ({"sites": ["ptbxl"]}, "Did you mean 'ptb-xl'"),
        ({"scale": 0.0}, "scale of 0"),
        ({"scale": float("nan")}, "scale of nan"),
        ({"seed": -1}, "seed -1"),
    ],
)
def test_wrong_calls(call: dict[str, Any], message: str, tmp_path: Path) -> None:
    with pytest.raises((UsageError, UnknownNameError), match=message):
        simulate(tmp_path, **call)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("inside", ["", "inside", "inside/it"])
def test_a_file_where_the_folder_should_be_is_told(inside: str, tmp_path: Path) -> None:
    (tmp_path / "out").write_text("mine")
    with pytest.raises(UsageError, match=r"cannot be written to .*out.* \(Not a directory\); choose another"):
        simulate(tmp_path / "out" / inside, sites=["georgia"], scale=0.02)
    assert (tmp_path / "out").read_text() == "mine"


def test_a_file_where_a_release_should_be_is_told(tmp_path: Path) -> None:
    (tmp_path / "challenge-2021").write_text("mine")
    with pytest.raises(UsageError, match=r"cannot be written to .* \((Not a directory|File exists)\)"):
        simulate(tmp_path, sites=["georgia"], scale=0.02)
    assert (tmp_path / "challenge-2021").read_text() == "mine"


def test_a_full_disk_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: Any) -> None:
        raise OSError(28, "No space left on device", "somewhere")

    monkeypatch.setattr(Path, "rename", full)
    with pytest.raises(LeadboardError, match=r"\(No space left on device\); choose another folder") as told:
        simulate(tmp_path, sites=["ludb"], scale=0.03)
    assert not isinstance(told.value, UsageError)


def test_a_mark_of_a_simulated_release_that_is_no_text_is_another_one(tmp_path: Path) -> None:
    (folder,) = simulate(tmp_path, sites=["ludb"], scale=0.03)
    (folder / "SIMULATED.txt").write_bytes(b"\xff\xfe")
    assert simulate(tmp_path, sites=["ludb"], scale=0.03) == [folder]
    assert "Synthetic recordings" in (folder / "SIMULATED.txt").read_text()
