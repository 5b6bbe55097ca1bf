"""Where data and caches are looked for, and what a wrong setting answers."""

from __future__ import annotations

import os
import pwd
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from benchmark.config import find_places
from benchmark.files import from_home, give_home
from cohorts import catalogue
from cohorts.errors import UsageError
from tests.cohorts.own_hospital import COLUMNS, FILES, HEAD, ID, PEOPLE, table, write


@pytest.fixture(autouse=True)
def _empty_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("LEADBOARD_DATA", "LEADBOARD_CACHE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "user-cache"))
    for name in ("option", "variable", "file", "elsewhere"):
        (tmp_path / name).mkdir()


def test_option_before_environment_before_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert find_places().data is None
    Path("leadboard.toml").write_text('data = "file"\ncache = "c"\n')
    assert find_places().data == tmp_path / "file"
    assert find_places().cache == tmp_path / "c"
    monkeypatch.setenv("LEADBOARD_DATA", "variable")
    monkeypatch.setenv("LEADBOARD_CACHE", str(tmp_path / "vc"))
    assert find_places().data == tmp_path / "variable"
    assert find_places().cache == tmp_path / "vc"
    assert find_places(Path("option"), Path("oc")).data == tmp_path / "option"
    assert find_places(Path("option"), Path("oc")).cache == tmp_path / "oc"


def test_cache_is_the_users_by_default(tmp_path: Path) -> None:
    assert find_places().cache == tmp_path / "user-cache" / "leadboard"


def test_releases_elsewhere(tmp_path: Path) -> None:
    Path("leadboard.toml").write_text('[folders]\ngeorgia = "elsewhere"\n')
    assert find_places().folders == {"georgia": tmp_path / "elsewhere"}


def test_a_cohort_that_its_package_breaks_stops_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    Path("leadboard.toml").write_text('[folders]\noslo = "elsewhere"\n')
    with pytest.raises(UsageError, match="Unknown cohort 'oslo'"):
        find_places()
    monkeypatch.setattr(catalogue, "broken_cohorts", lambda: {"oslo": "Its class is broken."})
    assert list(find_places().folders) == ["oslo"]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("data = [", "not valid TOML"),
        ("dta = 'x'", "Unknown entry 'dta'. Did you mean 'data'?"),
        ("data = 3", "data"),
        ("[folders]\ngeorgia = 'nowhere'", "georgia"),
        (
            "[folders]\ngerogia = 'elsewhere'",
            "leadboard.toml has a folder for a cohort that there is not. .*Did you mean 'georgia'",
        ),
        (f"data = '{'x' * 5000}'", "No folder .*x…; give the folder"),
        (f"data = '{'x/' * 5000}'", "No folder .*…; give the folder"),
        (f"[folders]\ngeorgia = '{'x' * 5000}'", "georgia is in .*x…, but there is no such folder"),
        (f"cache = '{'x' * 5000}'", "The cache cannot be in .*x…: File name too long; name another"),
        ("cache = 'leadboard.toml'", "The cache cannot be in .*: it is a file, not a folder"),
        ("cache = 'leadboard.toml/x'", "The cache cannot be in .*leadboard.toml is a file, not a folder"),
        ("cache = '~nobody-of-that-name/x'", "There is no home folder for ~nobody-of-that-name/x"),
        ("data = 'a\\u0000b'", "No folder"),
        ('data = "a\\u0000b"', "No folder"),
        ("a = " + "[" * 100_000, "not valid TOML"),
        ("a = 2026-99-99", "not valid TOML"),
        ("#" + "x" * 300_000, "no file of at most 256 kB"),
        ('"x\u202ey" = 1', "leadboard.toml: Unknown entry 'x y'. Available: cache, "),
        ("chache = 'x'", "Unknown entry 'chache'. Did you mean 'cache'?"),
        ("run = 3", "wrong entry: run: Input should be a valid dictionary"),
    ],
)
def test_wrong_files_say_what_is_wrong(text: str, words: str) -> None:
    Path("leadboard.toml").write_text(text)
    with pytest.raises(UsageError, match=words) as caught:
        find_places()
    assert str(caught.value).isprintable()


def test_the_home_folder_may_be_written_short(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path / "elsewhere"))
    (tmp_path / "elsewhere/data").mkdir()
    Path("leadboard.toml").write_text('data = "~/data"\ncache = "~/c"\n[folders]\ngeorgia = "~/data"\n')
    home = tmp_path / "elsewhere"
    found = find_places()
    assert (found.data, found.cache, found.folders) == (home / "data", home / "c", {"georgia": home / "data"})
    Path("leadboard.toml").unlink()
    assert find_places(Path("~/data"), Path("~/c")).data == home / "data"  # a shell leaves --data=~ alone
    monkeypatch.setenv("LEADBOARD_DATA", "~/data")
    assert find_places().data == home / "data"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
def test_a_byte_order_mark_is_no_part_of_the_file(tmp_path: Path, encoding: str) -> None:
    Path("leadboard.toml").write_text("data = 'file'\n", encoding=encoding)
    assert find_places().data == tmp_path / "file"


@pytest.mark.parametrize("content", [b"data = '\xff'", "data = 'file'".encode("utf-16"), b"\0"])
def test_other_encodings_are_refused(content: bytes) -> None:
    Path("leadboard.toml").write_bytes(content)
    with pytest.raises(UsageError, match="not valid TOML"):
        find_places()


@pytest.mark.parametrize("make", [os.mkfifo, Path.mkdir, lambda path: path.symlink_to("nowhere")])
def test_what_is_no_file_in_the_place_of_the_configuration_is_said(make: Callable[[Path], None]) -> None:
    make(Path("leadboard.toml"))
    with pytest.raises(UsageError, match="is no file of at most"):
        find_places()


def test_a_cache_needs_no_home_if_it_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def nobody() -> Path:
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setattr(Path, "home", nobody)
    assert find_places(None, tmp_path / "c").cache == tmp_path / "c"
    with pytest.raises(UsageError, match="say with --cache"):
        find_places()


def test_a_missing_folder_is_a_wrong_call() -> None:
    with pytest.raises(UsageError, match="--data"):
        find_places(Path("nowhere"))


@pytest.fixture
def homeless(monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(who: Any) -> None:
        raise KeyError(f"getpwuid(): uid not found: {who}")

    for name in ("HOME", "LOGNAME", "USER", "LNAME", "USERNAME", "XDG_CACHE_HOME", "LEADBOARD_CACHE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(pwd, "getpwuid", unknown)


@pytest.mark.usefixtures("homeless")
def test_without_a_home_only_the_folder_that_is_not_named_is_missing(tmp_path: Path) -> None:
    assert find_places(None, tmp_path / "cache").cache == tmp_path / "cache"
    with pytest.raises(UsageError, match="No home folder is known here; say with --cache"):
        find_places()


@pytest.mark.usefixtures("homeless")
def test_a_home_is_given_below_which_nothing_can_be(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "")  # is restored afterwards
    monkeypatch.delenv("HOME")
    give_home()
    with pytest.raises(OSError, match="Not a directory"):
        (Path.home() / "x").mkdir()


def test_a_home_that_is_there_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    give_home()
    assert from_home("~/x") == tmp_path / "x"


def test_the_home_of_nobody_is_told() -> None:
    with pytest.raises(UsageError, match="no home folder for ~nobody-of-that-name/x"):
        from_home("~nobody-of-that-name/x")


def test_files_of_fingerprints_come_from_options_and_from_the_file(tmp_path: Path) -> None:
    (tmp_path / "a").touch()
    Path("leadboard.toml").write_text('fingerprints = ["a"]\n')
    assert find_places().fingerprints == (tmp_path / "a",)
    assert find_places(fingerprints=[Path("a")]).fingerprints == (tmp_path / "a",)
    (tmp_path / "b").touch()
    assert find_places(fingerprints=[Path("b")]).fingerprints == (tmp_path / "b", tmp_path / "a")
    Path("leadboard.toml").write_text('fingerprints = ["nowhere"]\n')
    with pytest.raises(UsageError, match=r"No file of fingerprints .*nowhere; correct"):
        find_places()
    with pytest.raises(UsageError, match=r"No file of fingerprints x{100,}…; correct"):
        find_places(fingerprints=[Path("x" * 5000)])


def test_two_files_of_one_cohort_are_refused(tmp_path: Path) -> None:
    one, other = (write(tmp_path / name, table(), HEAD + PEOPLE + FILES + COLUMNS) for name in ("a", "b"))
    with pytest.raises(UsageError, match=r"a/cohort\.toml and .*b/cohort\.toml both describe a cohort 'my-h"):
        find_places(cohort_files=[one, other])
    assert find_places(cohort_files=[one, one]).own == {ID: one}
