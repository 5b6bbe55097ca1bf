"""Where data and caches are looked for, and what a wrong setting answers."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmark.config import find_places
from cohorts.errors import UsageError


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
    assert find_places().data == Path("variable")
    assert find_places().cache == tmp_path / "vc"
    assert find_places(Path("option"), Path("oc")).data == Path("option")
    assert find_places(Path("option"), Path("oc")).cache == tmp_path / "oc"


def test_cache_is_the_users_by_default(tmp_path: Path) -> None:
    assert find_places().cache == tmp_path / "user-cache" / "leadboard"


def test_releases_elsewhere(tmp_path: Path) -> None:
    Path("leadboard.toml").write_text('[folders]\ngeorgia = "elsewhere"\n')
    assert find_places().folders == {"georgia": tmp_path / "elsewhere"}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("data = [", "not valid TOML"),
        ("dta = 'x'", "dta"),
        ("data = 3", "data"),
        ("[folders]\ngeorgia = 'nowhere'", "georgia"),
        ("[folders]\ngerogia = 'elsewhere'", "Did you mean 'georgia'"),
    ],
)
def test_wrong_files_say_what_is_wrong(text: str, words: str) -> None:
    Path("leadboard.toml").write_text(text)
    with pytest.raises(UsageError, match=words):
        find_places()


def test_a_missing_folder_is_a_wrong_call() -> None:
    with pytest.raises(UsageError, match="--data"):
        find_places(Path("nowhere"))
