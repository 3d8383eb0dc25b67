"""The card and the manifest of a written dataset."""

from __future__ import annotations

import ast
import contextlib
import dataclasses
import hashlib
import itertools
import json
import re
import typing
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

import prmdata
from prmdata.dataset.columns import meaning
from prmdata.dataset.language import language, languages
from prmdata.dataset.provenance import Provenance
from prmdata.errors import InputError, UsageError
from prmdata.exports import FORMATS
from prmdata.exports.contract import Tagged, Taught
from prmdata.records import Cost, Evidence, Labels, Trace
from prmdata.registry import make
from prmdata.stages.export import Exporting, run_export


@pytest.fixture
def labelled(traces: list[Trace]) -> list[Trace]:
    def labels(steps: int) -> Labels:
        values = (1.0,) + (0.0,) * (steps - 1)
        return Labels("posterior", 1, values, 0.9, settings={"sure_at": 0.9}, cost=Cost(10, 2, 1))

    return [replace(t, labels=labels(len(t.steps))) for t in traces[:20] if len(t.steps) > 2]


def test_a_folder_says_where_it_comes_from_and_what_it_holds(labelled: list[Trace]) -> None:
    prmdata.export(labelled, output="set", to="stepwise")
    manifest = json.loads(Path("set/manifest.json").read_text())
    assert set(manifest["files"]) == {"README.md", "data/train-00000-of-00001.parquet"}
    for name, known in manifest["files"].items():
        data = (Path("set") / name).read_bytes()
        assert known == {"bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}
    assert manifest["counts"]["rows written"] == len(labelled)
    assert manifest["provenance"]["tokens_labelling"] == 10 * len(labelled)
    text = Path("set/README.md").read_text()
    for said in (
        "policy-1",
        "posterior",
        "sure_at",
        "| `labels` | list<int64> | ",
        "temperature 1",
    ):
        assert said in text, said
    assert "| `labels` | list<int64> | for each step: 1 (or true) right" in text
    assert "PRMTrainer(model" in text
    assert "n<1K" in text
    assert "prmdata audit labelled.jsonl" in text
    row = "\n".join(re.findall(r"^    (.*)$", text.split("A row:")[1].split("##")[0], re.MULTILINE))
    assert json.loads(row)["trace_id"] == labelled[0].id
    assert "configs" not in text.split("---")[1]


def test_a_folder_of_records_is_read_again_past_its_manifest(labelled: list[Trace]) -> None:
    prmdata.export(labelled, output="set", to="records")
    assert [t.id for t in prmdata.read("set")] == [t.id for t in labelled]


@pytest.mark.parametrize(
    ("problems", "said", "header"),
    [
        (["mit", "mit"], None, "license: mit"),
        (["MIT", "cc-by-4.0"], None, "license:\n- mit\n- cc-by-4.0"),
        (["mit", None], None, None),
        (["Own Terms 1", "mit"], None, 'license: other\nlicense_name: "Own Terms 1, mit"'),
        (["mit", None], "apache-2.0", "license: apache-2.0"),
    ],
)
def test_a_licence_is_said_that_the_hub_knows(
    labelled: list[Trace], problems: list[str | None], said: str | None, header: str | None
) -> None:
    given = [
        replace(t, problem=replace(t.problem, meta={"license": name} if name else {}))
        for t, name in zip(labelled, problems, strict=False)
    ]
    asked = Exporting("stepwise", make(FORMATS, "stepwise", {}), licence=said)
    run_export(asked, "set", traces=given)
    front = Path("set/README.md").read_text().split("---")[1].strip()
    assert "tags:\n- process-supervision\n- prmdata" in front
    assert front.split("language:")[0].strip() == (header or "")
    loaded = yaml.safe_load(front)
    assert ("license" in loaded) == (header is not None)


def test_accuracy_is_told_where_truth_is_carried(labelled: list[Trace]) -> None:
    prmdata.export(labelled, output="set")
    assert "Not measured here" in Path("set/README.md").read_text()
    truths = [
        ("right", *("wrong" if n % 4 == 0 else "right" for _ in trace.steps[1:]))
        for n, trace in enumerate(labelled)
    ]
    known = [
        trace.with_evidence(Evidence("oracle", "truth", verdicts=verdicts))
        for trace, verdicts in zip(labelled, truths, strict=True)
    ]
    prmdata.export(known, output="set")
    figures = json.loads(Path("set/manifest.json").read_text())["accuracy"]
    expected = prmdata.score(known)
    told = ("labelled", "exact", "exact_on_erroneous", "exact_on_correct", "f1", "step_accuracy")
    assert {k: figures[k] for k in told} == {k: expected[k] for k in told}
    text = Path("set/README.md").read_text()
    assert f"on {len(known):,} traces where it is known" in text
    assert f"| first error exact | {expected['exact']:.3f} |" in text
    Path("score.json").write_text(json.dumps({"labelled": 7, "exact": 0.5, "ece": 0.25}))
    asked = Exporting("stepwise", make(FORMATS, "stepwise", {}), score="score.json")
    run_export(asked, "set", traces=known, overwrite=True)
    text = Path("set/README.md").read_text()
    assert "on 7 traces" in text
    assert "| calibration error of the confidence | 0.250 |" in text


@pytest.mark.parametrize("left_out", ["unsure", "failed", "undecided"])
def test_what_is_not_in_the_dataset_is_not_told_of(labelled: list[Trace], left_out: str) -> None:
    """By the selection, because it failed, and by the format itself."""
    known = [
        t.with_evidence(Evidence("oracle", "truth", verdicts=("right",) * len(t.steps)))
        for t in labelled
    ]
    unsure = replace(known[0].labels, by="stray", confidence=0.1)
    undecided = replace(known[0].labels, by="stray", first_error=None)
    changed = {
        "unsure": replace(known[0], labels=unsure),
        "failed": replace(known[0], labels=unsure).failed("lost"),
        "undecided": replace(known[0], labels=undecided, correct=False),
    }
    given = [changed[left_out], *known[1:]]
    summary = prmdata.export(given, output="set", to="stepwise", min_confidence=0.5)
    assert summary["rows written"] == len(known) - 1
    manifest = json.loads(Path("set/manifest.json").read_text())
    assert manifest["accuracy"]["labelled"] == len(known) - 1
    assert manifest["provenance"]["tokens_labelling"] == 10 * (len(known) - 1)
    assert "stray" not in Path("set/README.md").read_text()


@pytest.mark.parametrize("text", ["{", "[]", '{"labelled": 0}'])
def test_a_score_that_is_none_is_refused(labelled: list[Trace], text: str) -> None:
    Path("score.json").write_text(text)
    asked = Exporting("stepwise", make(FORMATS, "stepwise", {}), score="score.json")
    with pytest.raises(InputError, match=r"score\.json.*score"):
        run_export(asked, "set", traces=labelled)


@pytest.mark.parametrize(
    ("sampler", "told"),
    [
        ("local:/home/me/models/tiny", "(`local:tiny`)"),
        ("local:org/tiny", "(`local:org/tiny`)"),
        ("http://10.0.0.7:8000/v1", "(`http`)"),
        ("abacus", "(`abacus`)"),
    ],
)
def test_cards_say_nothing_of_the_machine(traces: list[Trace], sampler: str, told: str) -> None:
    noted = Provenance()
    noted.note(replace(traces[0], origin=replace(traces[0].origin, sampler=sampler)))
    (model,) = noted.models
    assert str(model).endswith(told)


def test_what_is_not_known_is_said_so(traces: list[Trace]) -> None:
    bare = replace(
        traces[0],
        labels=None,
        problem=replace(traces[0].problem, meta={"license": "mit"}),
        origin=type(traces[0].origin)(),
    )
    told = Provenance()
    told.note(bare)
    assert told.facts()["sources"] == {"not said": 1}
    assert told.facts()["licences"] == {"mit": 1}
    assert told.labelled_by == []
    assert told.lines()[-1].startswith("- Tokens generated: 0 for the traces")


HOSTILE = (
    "x\n---\nlicense: mit\n# Heading\n<script>alert(1)</script> ![i](http://evil/i) `c` | \x1b[31m"
)


def test_no_record_writes_markdown_or_html_into_a_card(labelled: list[Trace]) -> None:
    """Sources, licences, models, prompts, templates, methods and settings come from others."""
    prompt = {"role": "system", "content": HOSTILE}
    given = [
        replace(
            t,
            problem=replace(t.problem, meta={"source": HOSTILE, "license": HOSTILE}),
            origin=replace(
                t.origin, model=HOSTILE, sampler=f"local:{HOSTILE}", template=HOSTILE,
                messages=(prompt, *t.origin.messages), template_args={HOSTILE: HOSTILE},
            ),
            labels=replace(t.labels, by=HOSTILE, settings={HOSTILE: HOSTILE}),
        )
        for t in labelled
        if t.labels is not None
    ]  # fmt: skip
    run_export(Exporting("stepwise", make(FORMATS, "stepwise", {})), "set", traces=given)
    _, front, body = Path("set/README.md").read_text().split("---\n", 2)
    facts = {"license", "license_name", "language", "task_categories", "size_categories", "tags"}
    assert set(yaml.safe_load(front)) == facts
    assert yaml.safe_load(front)["license"] == "other"
    assert not re.search(r"(?<!\\)<(?=script)|(?<!\\)!\[|(?<!\\)\]\(|\x1b", _without_code(body))
    headings = [line for line in body.splitlines() if line.startswith("#")]
    assert headings == ["# set", "## Where it comes from", "## How good the labels are"]


def _without_code(text: str) -> str:
    text = "\n".join(line for line in text.splitlines() if not line.startswith("    "))
    return re.sub(r"(?<!`)(`+)(?!`).*?(?<!`)\1(?!`)", "", text)


def variants(form: type) -> Iterator[Any]:
    """The format in all of its layouts, and with each of its columns that can be asked for."""
    hints = typing.get_type_hints(form)
    choices = {
        field.name: typing.get_args(hints[field.name])
        for field in dataclasses.fields(form)
        if typing.get_origin(hints[field.name]) is typing.Literal
    }
    flags = {f.name: (False, True) for f in dataclasses.fields(form) if hints[f.name] is bool}
    named = {"tokenizer": ("", "folder")} if "tokenizer" in hints else {}
    asked = {**choices, **flags, **named}
    for values in itertools.product(*asked.values()):
        with contextlib.suppress(UsageError):  # settings that do not go together
            yield form(**dict(zip(asked, values, strict=True)))


@pytest.mark.parametrize("name", FORMATS)
def test_every_column_has_a_meaning(name: str) -> None:
    missing = {
        (getattr(form, "layout", ""), column)
        for form in variants(FORMATS[name])
        if (schema := form.schema()) is not None
        for column in schema.names
        if not meaning(name, getattr(form, "layout", ""), column)
    }
    assert missing == set()


@pytest.mark.parametrize("name", FORMATS)
def test_every_dataset_says_how_it_is_used_and_for_what(name: str) -> None:
    forms = [form for form in variants(FORMATS[name]) if form.schema() is not None]
    for form in forms:
        assert isinstance(form, Tagged)
        assert isinstance(form, Taught)
        lines = form.snippet.splitlines()
        if not lines[0].startswith("$ "):
            ast.parse(form.snippet)
        assert max(map(len, lines)) <= 200


def test_a_card_is_tagged(labelled: list[Trace]) -> None:
    prmdata.export(labelled, output="set", to="stepwise", licence="mit")
    front = yaml.safe_load(Path("set/README.md").read_text().split("---")[1])
    assert front == {
        "license": "mit",
        "language": ["en"],
        "task_categories": ["token-classification"],
        "tags": ["process-supervision", "prmdata"],
        "size_categories": ["n<1K"],
    }


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("Ada has 3 plums and buys 4. How many plums does she have?", "en"),
        ("Find the number of positive integers n for which n^2 < 50.", "en"),
        ("Ada hat 3 Pflaumen und kauft 4. Wie viele hat sie jetzt?", None),
        ("小明有3个苹果，又买了4个。他现在有多少个？", "zh"),
        ("りんごが3つあります。", "ja"),
        ("사과가 세 개 있다", "ko"),
        ("x^2 + 3x = 4", None),
        ("", None),
    ],
)
def test_a_language_is_told_where_the_words_say_so(text: str, told: str | None) -> None:
    assert language(text) == told


def test_a_language_is_that_of_nearly_all() -> None:
    assert languages(Counter(en=95, zh=5)) == ["en"]
    assert languages(Counter(en=60, zh=40)) == []
    assert languages(Counter(en=2, unknown=8)) == []
