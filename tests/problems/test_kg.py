"""Questions made from a knowledge graph, and the verifier that reads their paths."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest

from prmdata.errors import InputError, UsageError
from prmdata.problems import problems
from prmdata.records import Problem, Step, Trace
from prmdata.verifiers.path import Path as PathVerifier

TRIPLES = [
    ("Ada", "mother", "Bea"), ("Bea", "city", "Bern"), ("Bern", "country", "Switzerland"),
    ("Switzerland", "currency", "franc"), ("Ada", "friend", "Carl"), ("Ada", "friend", "Dina"),
    ("Carl", "city", "Rome"), ("Rome", "country", "Italy"), ("Italy", "capital", "Rome"),
]  # fmt: skip


def graph(folder: Path, triples: list[tuple[str, str, str]] = TRIPLES) -> str:
    path = folder / "graph.jsonl"
    names = ("head", "relation", "tail")
    path.write_text("".join(json.dumps(dict(zip(names, t, strict=True))) + "\n" for t in triples))
    return str(path)


def made(source: str) -> list[Problem]:
    return [problem for problem in problems(source) if isinstance(problem, Problem)]


def test_every_question_has_one_answer_and_its_path(tmp_path: Path) -> None:
    found = made(f"kg:{graph(tmp_path)}?hops=1-3&count=50")
    assert {problem.meta["hops"] for problem in found} == {1, 2, 3}
    assert len({problem.question for problem in found}) == len(found)
    for problem in found:
        here = problem.context["path"][0][0]
        assert problem.question.endswith(f"{here}?")
        for head, relation, tail in problem.context["path"]:
            assert head == here
            assert [t for h, r, t in TRIPLES if (h, r) == (head, relation)] == [tail]
            here = tail
        assert problem.answer == here
        assert "friend" not in problem.question  # it has two
    assert found == made(f"kg:{graph(tmp_path)}?hops=1-3&count=50")
    three = next(p for p in found if p.meta["hops"] == 3 and "Ada?" in p.question)
    assert three.question == "What is the country of the city of the mother of Ada?"


def test_reading_the_path_aloud_scores_one_and_another_tail_is_wrong(tmp_path: Path) -> None:
    for problem in made(f"kg:{graph(tmp_path)}?hops=2-3&count=9"):
        path = problem.context["path"]
        steps = tuple(Step(f"The {r} of {h} is {t}.\n") for h, r, t in path)
        findings = asyncio.run(PathVerifier().verify(Trace("t", problem, steps)))
        assert [f.verdict for f in findings] == ["right"] * len(path)
        assert sum(f.reward or 0 for f in findings) == pytest.approx(1)


@pytest.mark.parametrize("query", ["?hops=0", "?hops=3-1", "?hops=x", "?count=-1", "?depth=2"])
def test_what_is_asked_amiss_is_said(query: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="kg:"):
        made(f"kg:{graph(tmp_path)}{query}")


def test_a_graph_without_such_a_path_is_said(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no path of 3 to 3 hops"):
        made(f"kg:{graph(tmp_path, TRIPLES[:2])}?hops=3")
    (tmp_path / "bad.jsonl").write_text('{"head": "a", "relation": "r"}\n')
    with pytest.raises(InputError, match="head, relation and tail"):
        made(f"kg:{tmp_path / 'bad.jsonl'}")
