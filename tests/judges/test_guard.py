"""A judge that always says right passes no probe; one that compares with gold passes the guard."""

from __future__ import annotations

import asyncio
import json
import re
from typing import Any

from prmdata.judges.guard.measuring import guarded
from prmdata.judges.guard.probes import PROBES, lines_of, stories
from tests.judges.oracle import Scripted, session


def guard(sampler: Scripted) -> dict[str, Any]:
    how, asked = session("critique", sampler, votes=1)
    return asyncio.run(guarded(how, asked, 4, 0))  # type: ignore[arg-type]


def says(user: str, verdict: str) -> str:
    if "Is this solution" in user:
        return "yes"
    if "Which of A and B" in user:
        return "<verdict>A</verdict>"
    count = user.count("</step_")
    return "\n".join(json.dumps({"step": s + 1, "verdict": verdict}) for s in range(count))


def test_a_judge_that_always_says_right_fails_every_probe() -> None:
    found = guard(Scripted(lambda user, system, seed: says(user, "right")))
    assert found["false_positive_rate"] == 1.0
    assert all(p["rate"] == 1.0 for p in found["probes"].values())
    assert len(found["probes"]) == len(PROBES)
    assert found["polarity"]["contradictory"] == 4  # yes, it is right, and yes, it is wrong
    assert found["position"]["contradictory"] == 4
    assert found["position"]["chose_the_first"] == 1.0


def test_a_judge_that_compares_with_gold_passes() -> None:
    right = {told.question: lines_of(told) for told, _ in stories(4, 0)}

    def compares(user: str, system: str, seed: int) -> str:
        question = re.search(r"(?:Problem|Task):\n(.*)\n", user)[1]  # type: ignore[index]
        steps = re.findall(r"<step_\d+>\n(.*?)\n</step_", user, re.DOTALL)
        same = steps == [line.strip() for line in right[question]]
        if "Is this solution" in user:
            return "yes" if same == ("solution right?" in user) else "no"
        if "Which of A and B" in user:
            first = user.index("".join(right[question]).strip()) < user.index("</A>")
            return f"<verdict>{'A' if first else 'B'}</verdict>"
        verdict = "right" if same else "wrong"
        return "\n".join(json.dumps({"step": s + 1, "verdict": verdict}) for s in range(len(steps)))

    found = guard(Scripted(compares))
    assert found["false_positive_rate"] == 0.0
    assert found["interval"][1] < 0.06
    assert found["right_solutions"]["rate"] == 1.0
    assert found["polarity"]["contradictory"] == 0
    assert found["position"]["contradictory"] == 0


def test_a_judge_that_babbles_is_unread_and_never_right() -> None:
    found = guard(Scripted(lambda user, system, seed: "Well, well."))
    assert found["false_positive_rate"] == 0.0
    assert all(p["unread"] == p["traces"] for p in found["probes"].values())
    assert found["polarity"]["read"] == 0
