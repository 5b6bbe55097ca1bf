"""One configuration file for a run: what it may say, what goes before it, and that it is read as written."""

from __future__ import annotations

import contextlib
import dataclasses
import doctest
import tomllib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from benchmark.cli import app
from benchmark.commands import toml_text
from benchmark.commands.elsewhere import ElsewhereOptions
from benchmark.commands.study import _LISTS, KEPT, Study, _plain, in_force
from benchmark.commands.toml_text import toml
from benchmark.config import ConfigFile
from benchmark.records.record import load_record
from benchmark.records.run_folder import load_run_file
from cohorts.errors import UsageError
from tests.releases import write_challenge, write_ptb_xl

MODEL = """
class Model:
    card = {{"name": "{name}", "outputs": ["AF", "LVH"], "trained_on": []}}

    def predict(self, batch):
        return {factor} * batch.signals.std(axis=2)[:, :2]
"""

STUDY = """
data = "releases"
cache = "cache"

[cohort_sets]
south = ["georgia"]

[run]
models = ["one.py:Model", "two.py:Model"]
cohorts = ["south"]
concepts = ["AF"]
seed = 3
resamples = 20
rank_by = "auprc"
out = "run"
"""


def call(*arguments: str) -> int:
    code = app(arguments, exit_on_error=False, print_error=False, result_action="return_value")
    assert isinstance(code, int)
    return code


@pytest.fixture(scope="module")
def releases(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("releases")
    write_ptb_xl(folder, records=20)
    write_challenge(folder)
    return folder


@pytest.fixture
def home(tmp_path: Path, releases: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a study of two models, and the releases."""
    monkeypatch.chdir(tmp_path)
    for name in ("LEADBOARD_DATA", "LEADBOARD_CACHE"):
        monkeypatch.delenv(name, raising=False)
    Path("releases").symlink_to(releases)
    for number, name in enumerate(("one", "two"), 1):
        Path(f"{name}.py").write_text(MODEL.format(name=name, factor=number))
    Path("study.toml").write_text(STUDY)
    return tmp_path


def dumped(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    capsys.readouterr()
    assert call("run", *arguments, "--dump-config") == 0
    return capsys.readouterr().out


texts = st.text(st.characters(codec="utf-8"), max_size=12)
names = st.lists(texts.filter(lambda text: "/" not in text and ".py" not in text), max_size=3).map(tuple)
studies = st.builds(
    Study,
    models=names,
    cohorts=names,
    task=st.none() | texts,
    concepts=names,
    subgroups=st.sampled_from([(), ("sex",), ("age", "sex")]),
    rank_by=st.sampled_from(["auroc", "auprc"]),
    records=st.sampled_from([None, "all", "test"]),
    seeds=st.lists(st.integers(0, 2**32 - 1), min_size=1, max_size=3, unique=True).map(tuple),
    resamples=st.integers(1, 20_000),
    batch_size=st.just("auto") | st.integers(1, 2**16),
    workers=st.none() | st.integers(1, 512),
    deadline=st.floats(0.001, 604_800),
    elsewhere=st.builds(ElsewhereOptions, memory=st.none() | st.floats(1, 1000), env=names),
)


@settings(max_examples=40)
@given(studies)
@example(Study(task='a"\\\n\t\x7f\x00\U0001f600\u202eä'))
def test_what_is_written_is_read_back_to_the_same(study: Study) -> None:
    read = ConfigFile.model_validate(tomllib.loads(toml({"run": _plain(study)})))
    assert in_force(Study(), read, Path("any.toml")) == (study, [])


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | texts | st.just("/a.py:B") | st.dates(),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(texts | st.just("python"), inner, max_size=2),
    max_leaves=4,
)
entries = st.sampled_from([*(field.name for field in dataclasses.fields(Study)), "seed", "other"])


@settings(max_examples=100)
@given(st.dictionaries(entries, anything, min_size=1, max_size=2))
@example({"elsewhere": {"python": ["/a"]}})
def test_whatever_stands_in_the_file_is_read_or_refused_in_a_sentence(content: dict[str, Any]) -> None:
    with contextlib.suppress(UsageError):
        study, _ = in_force(Study(), ConfigFile(run=content), Path("any.toml"))
        assert tomllib.loads(toml({"run": _plain(study)}))["run"]


@settings(max_examples=40)
@given(st.dictionaries(texts.filter(bool), st.dictionaries(texts, st.lists(texts, min_size=1), min_size=1)))
def test_names_of_tables_and_entries_may_be_anything(content: dict[str, dict[str, list[str]]]) -> None:
    written = toml(content)
    assert written.isascii()
    assert tomllib.loads(written) == content


def test_the_example_of_the_writer_runs() -> None:
    assert doctest.testmod(toml_text) == (0, 1)


def test_what_is_typed_goes_before_the_file_and_this_is_said(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    typed = ("--model", "one.py:Model", "--seed", "0", "--resamples", "20", "--memory", "2")
    places = ("--data", "releases/", "--cache", "other")
    assert call("run", "--config", "study.toml", *typed, *places, "--dump-config") == 0
    printed = capsys.readouterr()
    assert printed.err.splitlines() == [
        "--model goes before study.toml: one.py:Model, not one.py:Model, two.py:Model.",
        "--seed goes before study.toml: 0, not 3.",
        "--cache goes before study.toml: other, not cache.",
    ]
    found = tomllib.loads(printed.out)
    assert found["run"]["models"] == ["one.py:Model"]
    assert found["run"]["elsewhere"]["memory"] == 2
    assert "seed" not in found["run"]
    assert found["run"]["seeds"] == [0]
    assert (found["run"]["rank_by"], found["run"]["source"]) == ("auprc", "ptb-xl")
    assert found["cohort_sets"] == {"south": ["georgia"]}
    assert (found["data"], found["cache"]) == ("releases", "other")


@pytest.mark.parametrize(
    ("written", "typed", "seeds", "said"),
    [
        ("seed = 3", (), [3], ""),
        ("seeds = [0, 7, 2]", (), [0, 7, 2], ""),
        ("seeds = []", (), [0], ""),
        ("", (), [0], ""),
        ("", (5, 6), [5, 6], ""),
        ("seed = 3", (1, 4), [1, 4], "--seed goes before study.toml: 1, 4, not 3."),
        ("seeds = [0, 1]", (1, 0), [1, 0], "--seed goes before study.toml: 1, 0, not 0, 1."),
        ("seeds = [0, 1]", (0, 1), [0, 1], ""),
    ],
)
def test_seeds_are_a_list_and_the_one_of_older_files_is_read(
    home: Path,
    capsys: pytest.CaptureFixture[str],
    written: str,
    typed: tuple[int, ...],
    seeds: list[int],
    said: str,
) -> None:
    Path("study.toml").write_text(STUDY.replace("seed = 3", written))
    words = [word for seed in typed for word in ("--seed", str(seed))]
    assert call("run", "--config", "study.toml", *words, "--dump-config") == 0
    printed = capsys.readouterr()
    assert tomllib.loads(printed.out)["run"]["seeds"] == seeds
    assert printed.err.strip() == said
    Path("again.toml").write_text(printed.out)
    assert dumped(capsys, "--config", "again.toml") == printed.out


def test_a_dump_is_read_back_to_the_same(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    first = dumped(capsys, "--config", "study.toml", "--deadline", "7", "--env", "A", "--python", "bin/p")
    Path("again.toml").write_text(first)
    assert dumped(capsys, "--config", "again.toml") == first
    Path("leadboard.toml").write_text(first)
    assert dumped(capsys) == first


def test_paths_in_the_file_are_from_where_it_lies(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    below = home / "below"
    below.mkdir()
    (below / "study.toml").write_text(
        'data = "../releases"\n[run]\nmodels = ["../one.py:Model", "prevalence", "a.b:C"]\nout = "../r"\n'
        'recipe = "../one.py"\n[run.elsewhere]\npython = "~/bin/python"\n'
    )
    found = tomllib.loads(dumped(capsys, "--config", "below/study.toml"))
    assert found["run"]["models"] == ["one.py:Model", "prevalence", "a.b:C"]
    assert (found["run"]["out"], found["run"]["recipe"]) == ("r", "one.py")
    assert found["run"]["elsewhere"]["python"] == str(Path.home() / "bin/python")


def test_editing_one_model_runs_that_model_alone(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert call("run", "--config", "study.toml") == 0
    assert "2 of 2 cells computed now, 0 failed" in capsys.readouterr().out
    page = Path("run/leaderboard.html").read_bytes()
    before = Path("run/one/as-is/georgia.json").read_bytes()
    assert call("run", "--config", "study.toml") == 0
    assert "Nothing to do: all 2 cells are done." in capsys.readouterr().out
    assert Path("run/leaderboard.html").read_bytes() == page

    Path("three.py").write_text(MODEL.format(name="three", factor=3))
    Path("study.toml").write_text(STUDY.replace("two.py", "three.py"))
    assert call("run", "--config", "study.toml") == 0
    assert "1 of 2 cells computed now, 0 failed" in capsys.readouterr().out
    Path("three.py").write_text(MODEL.format(name="three", factor=-3))
    assert call("run", "--config", "study.toml") == 0
    assert "1 of 2 cells computed now, 0 failed" in capsys.readouterr().out
    assert Path("run/one/as-is/georgia.json").read_bytes() == before
    assert {cell.model for cell in load_run_file(Path("run")).cells} == {"one", "two", "three"}


def test_the_subgroups_are_chosen_and_no_model_is_asked_again(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = Path("run/one/as-is/georgia.json")
    found = []
    for chosen, computed in (("sex", "age"), 2), (("sex",), 2), ((), 2), (("age", "sex"), 2):
        listed = ", ".join(f"'{name}'" for name in chosen)
        Path("study.toml").write_text(STUDY + f"subgroups = [{listed}]\n")
        before = path.with_suffix(".parquet").stat().st_mtime_ns if path.exists() else 0
        assert call("run", "--config", "study.toml") == 0
        assert f"{computed} of 2 cells computed now" in capsys.readouterr().out
        assert before in (0, path.with_suffix(".parquet").stat().st_mtime_ns)
        assert load_record(path).statistics.subgroups.keys() == set(chosen)
        found.append(load_record(path).evaluation)
    assert all(one == found[0] for one in found)


def test_the_one_in_force_lies_in_the_run_and_repeats_it(
    home: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert call("run", "--config", "study.toml", "--seed", "4") == 0
    text = (home / "run" / KEPT).read_text()
    assert str(home) not in text
    assert "releases" not in text  # where the data are is of this machine, not of the study
    kept = tomllib.loads(text)
    assert kept["run"]["models"] == ["../one.py:Model", "../two.py:Model"]
    assert (kept["run"]["seeds"], kept["run"]["out"], kept["run"]["concepts"]) == ([4], ".", ["AF"])
    assert kept["cohort_sets"] == {"south": ["georgia"]}
    assert "AF" in Path("run/leaderboard.md").read_text()
    capsys.readouterr()
    monkeypatch.chdir("/")
    options = ("--data", str(home / "releases"), "--cache", str(home / "cache"))
    assert call("run", "--config", str(home / "run" / KEPT), *options) == 0
    assert "Nothing to do: all 2 cells are done." in capsys.readouterr().out


def test_names_are_separated_by_commas_or_repeated(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    asked = "--cohort georgia,ludb --cohort sph --protocol zero-shot,as-is --concept AF,LVH --pretrain-on a,b"
    app(f"run {asked} --dump-config", exit_on_error=False, result_action="return_value")
    found = tomllib.loads(capsys.readouterr().out)["run"]
    assert found["cohorts"] == ["georgia", "ludb", "sph"]
    assert found["protocols"] == ["zero-shot", "as-is"]
    assert found["concepts"] == ["AF", "LVH"]
    assert found["pretrain_on"] == ["a", "b"]


def test_a_run_keeps_the_precision_that_it_trained_in(home: Path) -> None:
    call("run", "--config", "study.toml", "--device", "cpu")
    kept = tomllib.loads((home / "run" / KEPT).read_text())["run"]
    assert (kept["train_precision"], kept["precision"]) == ("32-true", "float32")


@pytest.mark.parametrize("written", ["32-true", "bf16-mixed"])
def test_what_earlier_versions_call_precision_is_that_of_trainings(
    written: str, home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("study.toml").write_text(f'[run]\nprecision = "{written}"\n')
    call("run", "--config", "study.toml", "--dump-config")
    found = tomllib.loads(capsys.readouterr().out)["run"]
    assert (found["train_precision"], found["precision"]) == (written, "float32")
    Path("study.toml").write_text('[run]\nprecision = "bf16"\n')
    call("run", "--config", "study.toml", "--dump-config")
    found = tomllib.loads(capsys.readouterr().out)["run"]
    assert (found["train_precision"], found["precision"]) == ("auto", "bf16")


def test_nothing_is_kept_of_a_call_that_is_refused(home: Path) -> None:
    with pytest.raises(UsageError, match="Unknown model 'nobody'"):
        call("run", "--config", "study.toml", "--model", "nobody")
    assert not Path("run").exists()


@pytest.mark.parametrize(
    ("run", "words"),
    [
        (
            "modles = []",
            r"study.toml: Unknown entry of \[run\] 'modles'. Did you mean 'models'\?",
        ),
        ("seed = '3'", "study.toml has a wrong entry: run.seed: Input should be a valid integer"),
        ("seed = -1", "run.seed: Input should be greater than or equal to 0"),
        ("seed = 1.0", "run.seed: "),
        ("seed = true", "run.seed: "),
        ("seed = [1]", "run.seed: Input should be a valid integer"),
        ("seed = 1\nseeds = [2]", r"has both seed and seeds in \[run\]; leave one of them out"),
        ("seeds = 1", "run.seeds: "),
        ("seeds = [1, '2']", "run.seeds.1: Input should be a valid integer"),
        ("seeds = [4294967296]", "run.seeds.0: Input should be less than or equal to 4294967295"),
        ("seeds = [1, 2, 1]", "run.seeds: Seed 1 is there twice"),
        (f"seeds = {list(range(31))}", "run.seeds: Must be at most 30 seeds"),
        ("seeds = [2026-01-01]", r"study.toml has a date or a time in \[run\]"),
        ("resamples = 20001", "run.resamples: Input should be less than or equal to 20000"),
        ("models = 'one.py:Model'", "run.models: "),
        ("models = [1]", "run.models.0: "),
        ("precision = 'half'", "run.precision: Input should be 'float32' or 'bf16'"),
        (
            "train_precision = 'bf16'",
            "run.train_precision: Input should be 'auto', '32-true' or 'bf16-mixed'",
        ),
        ("rank_by = 'auc'", "run.rank_by: Input should be 'auroc' or 'auprc'"),
        ("records = 'some'", "run.records: "),
        ("subgroups = ['ward']", "run.subgroups.0: Input should be 'sex' or 'age'"),
        ("recipe = 'nowhere.toml'", "run.recipe: No such file"),
        ("out = 'one.py'", "run.out: It is a file, not a folder"),
        ("batch_size = 0", "run.batch_size"),
        ("deadline = nan", "run.deadline: "),
        ("deadline = inf", "run.deadline: "),
        ("seed = 2026-01-01", r"study.toml has a date or a time in \[run\]"),
        ("given = []", r"Unknown entry of \[run\] 'given'"),
        ("concepts = ['AFF']", "Unknown concept 'AFF'. Did you mean 'AF'"),
        ("concept_set = 'rythm'", "Did you mean 'rhythm'"),
        ("cohorts = ['gorgia']", "Did you mean 'georgia'"),
        ("elsewhere = 3", "run.elsewhere: "),
        (
            "[run.elsewhere]\npyton = 'x'",
            r"Unknown entry of \[run\] 'pyton'. Did you mean 'python'\?",
        ),
        ("[run.elsewhere]\nmemory = 0", "run.elsewhere.memory: "),
    ],
)
def test_a_wrong_entry_is_said_with_its_place(home: Path, run: str, words: str) -> None:
    Path("study.toml").write_text(f'data = "releases"\ncache = "cache"\n[run]\n{run}\n')
    with pytest.raises(UsageError, match=words) as caught:
        call("run", "--config", "study.toml")
    assert str(caught.value).isprintable()


def test_every_entry_has_an_option() -> None:
    arguments: Any = app["run"].assemble_argument_collection()
    options = {name for argument in arguments for name in argument.names}
    fields = [*dataclasses.fields(Study), *dataclasses.fields(ElsewhereOptions)]
    named = {field.name: field.name.replace("_", "-") for field in fields if field.name != "elsewhere"}
    named |= {name: name.removesuffix("s") for name in _LISTS}
    assert {f"--{name}" for name in named.values()} <= options
