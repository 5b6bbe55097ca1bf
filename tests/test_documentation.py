"""Pages that are made from the code: nothing is left out, and no word of others is markup."""

from __future__ import annotations

import contextlib
import inspect
import re
import runpy
from pathlib import Path

import markdown
import pytest
import yaml
from mkdocs.commands.build import build
from mkdocs.config import load_config
from mkdocs.exceptions import Abort

from benchmark.cli import app
from benchmark.models.plugins import installed_models
from cohorts.catalogue import find_cohort, forget, register
from cohorts.ontology import load_ontology
from cohorts.ontology.coverage_table import positives
from cohorts.scaffold import write_cohort_package
from docs.generate import cohort_pages, command_page, concept_pages, hook, model_pages
from docs.generate.markup import NOTHING, code, plain, prose, table

ROOT = Path(__file__).parents[1]
HOSTILE = "a|b <script>alert(1)</script> *c* [x](javascript:y) `d` _e_ ${f} {{g}}\n# h"


def shown(text: str) -> str:
    """What a reader sees of Markdown, without tags."""
    html = markdown.markdown(text, extensions=["tables", "attr_list", "md_in_html"])
    assert "<script" not in html
    assert "javascript:" not in re.sub(r">[^<]*<", "><", html)
    return re.sub(r"<[^>]+>", "", html)


@pytest.mark.parametrize("write", [plain, code, lambda text: table(("word",), [(plain(text),)])])
def test_words_of_others_are_seen_as_they_are(write) -> None:
    words = shown(write(HOSTILE)).replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
    words = re.sub(r"&#(\d+);", lambda found: chr(int(found[1])), words)
    assert " ".join(HOSTILE.split()) in words


def test_a_docstring_becomes_prose() -> None:
    told = prose("First <line>\ngoes ``on|here``.\n\nSecond.\n\nParameters\n----------\nroot\n    Left out.")
    assert told == "First &#60;line&#62; goes <code>on&#124;here</code>.\n\nSecond."


def test_the_command_line_has_every_command_and_every_word_of_its_options() -> None:
    page = command_page.page()
    assert "Table of Contents" not in page
    commands = [name for name in app if not name.startswith("-")]
    assert len(commands) > 20
    words = " ".join(re.sub(r"\\(.)", r"\1", page).split())
    for name in commands:
        assert f"\n## leadboard {name}\n" in page
        assert f"(#leadboard-{name})" in page
        assert re.search(
            rf"^```console\nleadboard {name}( (--?[a-z][\w-]+ )?(\[?[A-Z-]+(\.\.\.)?\]?))*$",
            page,
            re.MULTILINE,
        )
        command = app[name]
        lines = inspect.getdoc(command.default_command).partition("Parameters\n---")[2].splitlines()[1:]
        told = " ".join(line.strip() for line in lines if line.startswith("    "))
        for sentence in filter(None, re.split(r"(?<=[.;:]) ", told)):
            assert sentence.rstrip(".;:") in words, (name, sentence)


def test_every_model_has_a_page_with_its_card(tmp_path: Path) -> None:
    guide = (ROOT / "docs/models.md").read_text(encoding="utf-8")
    pages = model_pages.pages(guide)
    ours = {name for name, entry in installed_models().items() if entry.value.startswith("baselines.")}
    assert {f"models/{name}.md" for name in ours} | {"models/index.md"} == set(pages)
    merl = pages["models/merl.md"]
    assert "[<code>mimic-iv-ecg</code>](../cohorts/mimic-iv-ecg.md)" in merl
    assert "(../models.md#merl)" in merl
    assert "$ leadboard weights merl --file res18_best_ckpt.pth" in merl
    assert "10 s at 500 Hz" in merl
    assert "undisclosed" in pages["models/hubert-ecg-base.md"]
    assert "ABNORMAL ECG" in pages["models/ecgfounder.md"]


def test_a_cohorts_page_has_its_card_its_labels_and_how_to_get_it() -> None:
    cohort = find_cohort("georgia")
    stated = cohort_pages.what_is_stated("georgia")
    assert stated == {"age", "sex"}
    page = cohort_pages.page(cohort, stated)
    assert f"| **Recordings** | {cohort.card.records:,} |" in page
    assert "$ leadboard download georgia --data RELEASES" in page
    number, bound = positives().loc[("georgia", "AF"), ["positives", "bound"]]
    assert bound == "exactly"
    assert f"#af) | atrial fibrillation | {number:,} |" in page
    states = load_ontology().coverage("georgia")
    assert f"{(states == 'annotated').sum()} of {len(states)} concepts are annotated" in page


def test_what_must_be_known_of_a_cohort_is_said() -> None:
    page = cohort_pages.page(find_cohort("echonext"), frozenset())
    assert plain(find_cohort("echonext").card.signal_note).rstrip(".") in page
    assert "It is not open to everybody: sign the PhysioNet" in page
    assert "never take part in one run" in cohort_pages.caveats(find_cohort("challenge-ptb-xl"))
    assert "[<code>ptb-xl</code>](ptb-xl.md)" in cohort_pages.page(
        find_cohort("challenge-ptb-xl"), frozenset()
    )


def test_a_cohort_of_a_package_without_known_size_or_page_breaks_nothing(tmp_path: Path) -> None:
    written = write_cohort_package("my-release", tmp_path) / "my_release/cohort.py"
    cohort = runpy.run_path(str(written))["MyRelease"]
    assert cohort.card.records is None
    cohort.card = cohort.card.model_copy(update={"overlaps": ("georgia",)})
    register(cohort)
    try:
        page = cohort_pages.page(cohort, frozenset())
        assert f"| **Recordings** | {NOTHING} |" in page
        assert "[<code>georgia</code>](georgia.md)" in page
        assert "2 of " in page.partition("## Labels")[2]
        published = cohort_pages.page(find_cohort("georgia"), frozenset())
        assert "<code>my-release</code>" in published
        assert "(my-release.md)" not in published
    finally:
        forget("my-release")


def test_every_concept_stands_there_with_all_of_its_codes() -> None:
    ontology = load_ontology()
    pages = concept_pages.pages()
    meaning = {
        name: vocabulary.groupby("concept")["code"].agg(list).to_dict()
        for name, vocabulary in ontology.vocabularies.items()
    }
    for concept, row in ontology.concepts.iterrows():
        page = pages[f"concepts/{cohort_pages.slug(row['category'])}.md"]
        part = page.partition(f"\n## {plain(concept)}\n")[2].partition("\n## ")[0]
        told = {line.strip().partition(" | ")[0].removeprefix("| ") for line in part.splitlines()}
        for name, codes_of in meaning.items():
            codes = codes_of.get(concept, [])
            assert (f'"Vocabulary {name}: {len(codes)} row' in part) == (len(codes) > 0)
            assert told >= {code(one) for one in codes}
        assert f"[{code(concept)}](./{cohort_pages.slug(row['category'])}.md#" in pages["concepts/index.md"]


@pytest.mark.parametrize(
    ("words", "fails"),
    [
        ("[a](b.md#b)", False),
        ("[a](c.md)", True),
        ("[a](b.md#c)", True),
        ("![a](c.png)", True),
        ("[a](/b)", True),
    ],
)
def test_a_link_or_an_anchor_that_is_not_there_fails_the_build(
    tmp_path: Path, words: str, fails: bool
) -> None:
    settings = yaml.safe_load((ROOT / "mkdocs.yml").read_text(encoding="utf-8"))
    kept = {key: settings[key] for key in ("site_name", "validation", "use_directory_urls")}
    folder = tmp_path / "docs"
    folder.mkdir()
    (folder / "index.md").write_text(f"# A\n\n{words}\n")
    (folder / "b.md").write_text("# B\n")
    (tmp_path / "mkdocs.yml").write_text(yaml.safe_dump(kept))
    config = load_config(str(tmp_path / "mkdocs.yml"), strict=True, site_dir=str(tmp_path / "site"))
    with pytest.raises(Abort) if fails else contextlib.nullcontext():
        build(config)


def test_the_site_is_built_strictly() -> None:
    assert "mkdocs build --strict" in (ROOT / "Makefile").read_text(encoding="utf-8")
    assert "\nmake docs\n" in (ROOT / ".ci/run").read_text(encoding="utf-8")


def test_the_navigation_has_every_page_and_needs_no_network() -> None:
    settings = yaml.safe_load((ROOT / "mkdocs.yml").read_text(encoding="utf-8"))
    assert settings["theme"]["font"] is False
    assert not {"extra_javascript", "repo_url"} & set(settings)
    text = str(settings["nav"])
    for path in (ROOT / "docs").glob("*.md"):
        assert f"'{path.name}'" in text or path.name == "models.md", path
    assert hook._with_pages({"Start": "index.md"}) == {"Start": "index.md"}
