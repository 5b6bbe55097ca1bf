"""Hashes of code and of facts: what they are of, and what they are not of."""

from __future__ import annotations

from pathlib import Path

import pytest

import cohorts
from cohorts.errors import LeadboardError
from cohorts.hashing import ROOT, code_hash, hash_of_files, hash_of_json, imported_files


@pytest.fixture
def house(tmp_path: Path) -> Path:
    """A small project with two rooms, a loose file and something that is no code."""
    for name, text in {
        "a/room/one.py": "x = 1\n",
        "a/room/deep/two.py": "x = 2\n",
        "a/room/page.css": "body {}\n",
        "a/other/three.py": "x = 3\n",
        "a/loose.py": "x = 4\n",
    }.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return tmp_path


def hashed(house: Path) -> str:
    code_hash.cache_clear()  # within one process code does not change, so it is hashed once
    return code_hash("a/room", "a/loose.py", root=house)


@pytest.mark.parametrize("name", ["a/room/one.py", "a/room/deep/two.py", "a/loose.py"])
def test_a_byte_of_any_file_of_a_room_counts(house: Path, name: str) -> None:
    before = hashed(house)
    (house / name).write_text("x = 9\n")
    assert hashed(house) != before


def test_a_new_file_a_lost_one_and_a_new_name_count(house: Path) -> None:
    seen = [hashed(house)]
    (house / "a/room/new.py").write_text("")
    seen.append(hashed(house))
    (house / "a/room/new.py").rename(house / "a/room/renamed.py")
    seen.append(hashed(house))
    (house / "a/room/renamed.py").unlink()
    (house / "a/room/one.py").unlink()
    seen.append(hashed(house))
    assert len(set(seen)) == 4


@pytest.mark.parametrize("name", ["a/other/three.py", "a/room/page.css"])
def test_other_rooms_and_what_is_no_code_do_not_count(house: Path, name: str) -> None:
    before = hashed(house)
    (house / name).write_text("y = 1\n")
    assert hashed(house) == before


def test_where_the_project_lies_and_the_order_of_rooms_do_not_count(house: Path) -> None:
    before = hashed(house)
    assert code_hash("a/loose.py", "a/room", root=house) == before
    (house / "a").rename(house / "b")
    moved = house / "elsewhere"
    moved.mkdir()
    (house / "b").rename(moved / "a")
    assert hashed(moved) == before


def test_content_cannot_move_from_one_file_to_the_next(tmp_path: Path) -> None:
    first, second = tmp_path / "1.py", tmp_path / "2.py"
    first.write_bytes(b"ab")
    second.write_bytes(b"c")
    before = hash_of_files([first, second], tmp_path)
    first.write_bytes(b"a")
    second.write_bytes(b"bc")
    assert hash_of_files([first, second], tmp_path) != before


def test_a_room_that_was_renamed_is_an_error(house: Path) -> None:
    with pytest.raises(LeadboardError, match="There is no code in"):
        code_hash("a/rooom", root=house)


@pytest.mark.parametrize(
    "line",
    ["from p.families.one import x", "from p.families import one, gone", "import p.families.one as family"],
)
def test_imports_are_followed_within_one_package(tmp_path: Path, line: str) -> None:
    files = {
        "p/families/one.py": "from p.families.two import x\nfrom p.other import y\n",
        "p/families/two.py": "from p.families.one import y\n",
        "p/families/three.py": "",
        "p/other.py": "",
        "p/own.py": f"import json\n{line}\nfrom p.families.gone import z\n",
    }
    for name, text in files.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    found = imported_files(tmp_path / "p/own.py", "p.families", tmp_path)
    assert {path.relative_to(tmp_path).as_posix() for path in found} == {
        "p/own.py",
        "p/families/one.py",
        "p/families/two.py",
    }


def test_the_root_is_what_the_packages_lie_in() -> None:
    assert Path(cohorts.__file__).resolve().parent.parent == ROOT
    assert len(code_hash("cohorts/formats")) == 64


def test_facts_are_hashed_whatever_the_order_of_their_keys() -> None:
    assert hash_of_json({"a": 1, "b": [2]}) == hash_of_json({"b": [2], "a": 1})
    assert hash_of_json({"a": 1}) != hash_of_json({"a": "1"})
    assert hash_of_json([]) == "4f53cda18c2baa0c0354bb5f9a3ecbe5ed12ab4d8e11ba873c2f11161202b945"
