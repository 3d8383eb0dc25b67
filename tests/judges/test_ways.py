"""The other ways of judging, each with a judge whose answers are known."""

from __future__ import annotations

import asyncio
import json
import re
from dataclasses import replace
from pathlib import Path

import pytest

from prmdata.errors import UsageError
from prmdata.judges import JUDGES
from prmdata.judges.prompts import FOLDER, prompt
from prmdata.judges.subgoals import earned, named, reached
from prmdata.records import Evidence, Labels, Origin, Step, Trace
from prmdata.registry import make
from tests.judges.oracle import Scripted, judged, noisy_oracle, session, trace


def run(way: str, sampler: Scripted, traces: list[Trace], **settings: object) -> list[Trace]:
    return asyncio.run(judged(way, sampler, traces, **settings))


def as_group(way: str, sampler: Scripted, traces: list[Trace], **settings: object) -> list[Trace]:
    how, asked = session(way, sampler, **settings)
    return asyncio.run(how.judge(traces, asked))  # type: ignore[attr-defined, no-any-return]


@pytest.mark.parametrize("name", JUDGES)
def test_every_way_survives_a_judge_that_babbles(name: str) -> None:
    sampler = Scripted(lambda user, system, seed: "Well, well, well {[")
    given = [trace(0), replace(trace(0, steps=2), id="other"), replace(trace(0), error="broken")]
    made = as_group(name, sampler, given)
    assert [t.id for t in made] == [t.id for t in given]
    assert made[2] == given[2]
    for found in made[:2]:
        (evidence,) = found.evidence
        assert evidence.name == name
        assert "right" not in evidence.verdicts
        assert all(reward is None for reward in evidence.rewards)


@pytest.mark.parametrize("name", JUDGES)
def test_every_way_asks_with_files_that_have_its_fields(name: str) -> None:
    for file, needed in JUDGES[name].prompts.items():
        assert prompt(file, needed).messages({})
        assert (FOLDER / f"{file}.md").is_file()


def test_deliberate_keeps_what_agrees_with_the_labels() -> None:
    def says(user: str, system: str, seed: int) -> str:
        number = re.search(r"check of step (\d+)", user)
        if "Write the check" in user and number:
            wrong = number[1] == "2"
            return f"Long thoughts.\nStep {number[1]}: {'wrong' if wrong else 'right'}"
        return "thoughts"

    labelled = [
        replace(trace(n), labels=Labels("people", first_error=first))
        for n, first in enumerate((1, 0, None))
    ]
    made = run("deliberate", Scripted(says), labelled)
    assert [t.evidence[0].first_wrong for t in made] == [1, None, None]
    assert made[0].evidence[0].notes == ("Long thoughts.", "Long thoughts.", None)
    assert made[1].evidence[0].stopping == "rejected"
    assert made[0].evidence[0].cost.calls == 6
    assert run("deliberate", Scripted(says), labelled, keep="all")[1].evidence[0].first_wrong == 1


def test_grounded_lets_tools_decide() -> None:
    tool = Evidence(
        "arithmetic", "verdicts", verdicts=("right", "unknown", "wrong"), checked_by="tool"
    )
    given = trace().with_evidence(tool)
    (made,) = run("grounded", noisy_oracle({"Q0": None}, 0), [given])
    evidence = made.evidence_named("grounded")
    assert evidence is not None
    assert evidence.verdicts == ("right", "right", "wrong")
    assert evidence.notes[2] is None  # its reason argued for right
    assert evidence.settings["overruled"] == 1


def siblings() -> list[Trace]:
    first, second = Step("open\n"), Step("close\n")
    one = replace(trace(0), steps=(first, Step("good\n")), id="a")
    other = replace(one, steps=(first, Step("bad\n")), id="b", origin=Origin(parent=("a", 1)))
    return [one, other, replace(one, steps=(second,), id="c")]


def test_pairwise_asks_in_both_orders() -> None:
    def prefers_good(user: str, system: str, seed: int) -> str:
        a, b = user.split("<B>")
        chosen = "A" if "good" in a else "B" if "good" in b else "tie"
        return f"Because.\n<verdict>{chosen}</verdict>"

    made = as_group("pairwise", Scripted(prefers_good), siblings())
    rewards = [t.evidence[0].rewards for t in made]
    assert rewards[0][1] == 1.0
    assert rewards[1][1] == -1.0
    assert rewards[0][0] == 0.0  # against "close": a tie
    first = Scripted(lambda user, system, seed: "<verdict>A</verdict>")
    made = as_group("pairwise", first, siblings())
    assert all(r in (0.0, None) for t in made for r in t.evidence[0].rewards)
    assert sum(t.evidence[0].settings["contradictory"] for t in made) == 2


def test_dimensions_are_scored_one_by_one() -> None:
    def says(user: str, system: str, seed: int) -> str:
        return "<score>4</score>" if "relevant" in user else "<score>1</score>"

    (made,) = run("dimensions", Scripted(says), [trace()])
    assert made.evidence[0].settings["dimensions"] == {"relevance": 1.0, "coherence": 0.25}
    assert made.evidence[0].rewards == (None, None, 0.625)


def test_subgoals_are_earned_once() -> None:
    def says(user: str, system: str, seed: int) -> str:
        return "Here: [1, 3, null, 3]" if "Solution" in user else '["a", "b", "c", "d"]'

    made = as_group("subgoals", Scripted(says), [trace(), replace(trace(), id="u")])
    for found in made:
        assert found.evidence[0].rewards == (0.25, 0.0, 0.5)
        assert sum(r or 0 for r in found.evidence[0].rewards) == 0.75
    assert [t.evidence[0].cost.calls for t in made] == [2, 1]  # named once
    assert earned([], 2) == (None, None)
    assert named("1. First\n2. Second", 8) == ["First", "Second"]
    assert named("nothing", 8) is None
    assert reached("[9]", 1, 3) is None
    assert reached('{"1": 2}', 1, 3) == [1]


def test_a_rubric_is_added_up_outside_the_judge(tmp_path: Path) -> None:
    rows = [
        {"criterion": "says step", "weight": 3, "pattern": "step"},
        {"criterion": "is kind", "weight": 1},
    ]
    path = tmp_path / "rubric.jsonl"
    path.write_text("\n".join(json.dumps(row) for row in rows))
    no = Scripted(lambda user, system, seed: "I think so.\nno")
    (made,) = run("rubric", no, [trace()], rubric=str(path))
    assert made.evidence[0].rewards[-1] == 0.75
    assert len(no.asked) == 1
    path.write_text(json.dumps({"criterion": "x", "pattern": "zzz", "hard": True}))
    (made,) = run("rubric", no, [trace()], rubric=str(path))
    assert made.evidence[0].rewards[-1] == 0.0
    path.write_text('{"criterion": "x", "pattern": "("}')
    with pytest.raises(UsageError, match="rubric="):
        make(JUDGES, "rubric", {"rubric": str(path)})


def test_a_prompt_without_its_fields_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "mine.md"
    file.write_text("Check this: {steps}")
    with pytest.raises(UsageError, match="has no field"):
        prompt(str(file), ("question",))
    file.write_text("--- user ---\n{question} {steps}\n")
    assert prompt(str(file), ("question",)).messages({"question": "?", "steps": "!"}) == [
        {"role": "user", "content": "? !\n"}
    ]
    with pytest.raises(UsageError, match="no such file"):
        prompt(str(tmp_path / "none.md"), ())
    with pytest.raises(UsageError, match="did you mean 'critique'"):
        prompt("critque", ())
