"""Trees against a reader of OpenR's layout written from its description, and back again."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from prmdata.exports import FORMATS
from prmdata.exports.contract import LeftOut
from prmdata.exports.openr_tree import OpenrTree
from prmdata.records import Evidence, Step, Tally, Trace
from prmdata.registry import make
from prmdata.run.output import ListOutput
from prmdata.run.stage import RunOptions
from prmdata.stages.export import Exporting, run_export
from prmdata.stages.import_traces import TakingIn, run_import
from tests.exports.cases import RIGHT, WRONG
from tests.labellers.running import problems, run
from tests.policy import Policy


def read(row: dict[str, Any]) -> Iterator[tuple[str, float]]:
    """Every node but the root: the text up to it, joined by blank lines, and its value."""
    assert set(row) == {"question", "final_answer", "reasoning_steps"}
    root = row["reasoning_steps"]
    assert root["text"] == row["question"]

    def walk(node: dict[str, Any], before: list[str]) -> Iterator[tuple[str, float]]:
        assert set(node) == {"text", "mc_value", "children"}
        assert node["text"] == node["text"].strip()
        for child in node["children"]:
            so_far = [*before, child["text"]]
            yield "\n\n".join(so_far), child["mc_value"]
            yield from walk(child, so_far)

    return walk(root, [])


def exported(traces: list[Trace], **settings: str) -> list[dict[str, Any]]:
    asked = Exporting("openr-tree", make(FORMATS, "openr-tree", settings))
    run_export(asked, "trees.jsonl", traces=traces, overwrite=True)
    return [json.loads(line) for line in Path("trees.jsonl").read_text().splitlines()]


def taken_in(rows: list[dict[str, Any]]) -> list[Trace]:
    Path("rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    output = ListOutput()
    asked = TakingIn("rows.jsonl")
    asyncio.run(run_import(asked, output, RunOptions(quiet=True, store=None)))
    return output.traces


def words(text: str) -> str:
    """Texts apart from white space, which the layout does not keep."""
    return " ".join(text.split())


def test_a_search_tree_holds_every_probed_prefix_and_every_end(
    traces: list[Trace], policy: Policy
) -> None:
    made = run("omega", traces[:24], policy, searches=12)
    grown = sum(t.origin.parent is not None for t in made)
    assert grown > 5
    by_problem = [[t for t in made if t.problem.id == g[0].problem.id] for g in problems(traces)]
    groups = [group for group in by_problem if group]
    rows = exported([trace for group in groups for trace in group])
    values = {row["question"]: {words(t): v for t, v in read(row)} for row in rows}
    assert len(rows) > 3
    for group in groups:
        expected = {}
        for trace in group:
            evidence = trace.evidence_named("omega")
            for t, value in enumerate(evidence.values if evidence else (), 1):
                if value is not None:
                    expected[words(trace.prefix(t))] = value
            expected[words(trace.text)] = float(trace.correct is True)
        probed = len(expected) > len({words(trace.text) for trace in group})
        assert values.get(group[0].problem.question) == (expected if probed else None)


def test_children_stand_below_the_prefix_they_go_on_from() -> None:
    tally = Tally(4, 3, 1)
    probed = Evidence("omega", "rollouts", (0.5, None, None), (1, None, None), (2, None, None))
    (row,) = exported([replace(WRONG.with_evidence(probed), group=tally), RIGHT])
    assert row == {
        "question": "What is 3 + 4 * 2?",
        "final_answer": "11",
        "reasoning_steps": {
            "text": "What is 3 + 4 * 2?",
            "mc_value": 0.75,
            "children": [
                {
                    "text": "4 * 2 = 8",
                    "mc_value": 0.5,
                    "children": [
                        {"text": "3 + 8 = 12\n\nIt is 12.", "mc_value": 0.0, "children": []},
                        {"text": "3 + 8 = 11\nIt is 11.", "mc_value": 1.0, "children": []},
                    ],
                }
            ],
        },
    }
    (kept,) = exported([WRONG.with_evidence(probed)], unvalued="keep")
    assert [value for _, value in read(kept)] == [0.5, None, 0.0]


TREE = {
    "question": "1 + 1 + 1?",
    "final_answer": "3",
    "reasoning_steps": {
        "text": "1 + 1 + 1?",
        "mc_value": 0.625,
        "children": [
            {
                "text": "1 + 1 = 2",
                "mc_value": 0.75,
                "children": [
                    {"text": "2 + 1 = 3\n\nThe answer is 3", "mc_value": 1.0, "children": []},
                    {"text": "2 + 1 = 4\n\nThe answer is 4", "mc_value": 0.125, "children": []},
                ],
            },
            {"text": "The answer is 3", "mc_value": 1.0, "children": []},
        ],
    },
}


def test_what_came_in_goes_out_again() -> None:
    assert taken_in([TREE])[0].text == "1 + 1 = 2\n\n2 + 1 = 3\n\nThe answer is 3"
    for unvalued in ("merge", "keep"):
        assert exported(taken_in([TREE]), unvalued=unvalued) == [TREE]


def test_a_search_tree_survives_the_way_out_and_in(traces: list[Trace], policy: Policy) -> None:
    made = run("omega", traces[:4], policy, searches=8)
    rows = exported(made)
    again = taken_in(rows)
    assert exported(again) == rows
    assert {t.correct for t in again} == {True, False}
    for trace in again:  # a text that ends the trace was graded as it was before
        assert trace.evidence[0].values[-1] in (float(trace.correct is True), None)


def test_a_flat_list_of_prefixes_is_the_same_tree() -> None:
    nodes = [{"solution_prefix": TREE["question"], "mc_value": 0.625}]
    for text, value in read(TREE):
        nodes.append({"solution_prefix": f"{TREE['question']}\n\n{text}", "mc_value": value})
    shuffled = [nodes[i] for i in (3, 0, 4, 1, 2)]
    made = taken_in([{**TREE, "reasoning_steps": shuffled}])
    same = taken_in([TREE])
    key = [(t.text, t.evidence, t.problem.meta, t.correct) for t in made]
    assert sorted(key, key=str) == sorted(
        [(t.text, t.evidence, t.problem.meta, t.correct) for t in same], key=str
    )
    twice = [*nodes, {**nodes[1], "mc_value": 0.25}]
    (first, *_) = taken_in([{**TREE, "reasoning_steps": twice}])
    assert first.evidence[0].values[0] == 0.5


def test_what_makes_no_tree_is_left_out_with_its_reason() -> None:
    form = OpenrTree()
    with pytest.raises(LeftOut, match="no values"):
        list(form.rows([WRONG, RIGHT]))
    bent = Evidence("mc", "rollouts", (1.0, 0.0, 0.0), stopping="first-hit")
    with pytest.raises(LeftOut, match="early stopping"):
        list(form.rows([WRONG.with_evidence(bent)]))
    long = replace(WRONG, steps=(Step("x\n"),) * 500, labels=None)
    valued = long.with_evidence(Evidence("mc", "rollouts", (0.5,) * 500))
    with pytest.raises(LeftOut, match="deeper"):
        list(form.rows([valued]))
