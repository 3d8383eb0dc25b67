"""Whether a judge leans: to yes, to no, to what stands first."""

from __future__ import annotations

import re
from collections.abc import Sequence

from prmdata.abacus import Story
from prmdata.judges.asking.judge import Judge
from prmdata.judges.asking.sights import fields
from prmdata.judges.contract import Session, sampling
from prmdata.judges.guard.probes import lines_of, trace_of
from prmdata.judges.prompts import prompt
from prmdata.judges.reading.choices import choice
from prmdata.records import Trace
from prmdata.tasks import together

ANSWER_TOKENS = 256


async def asked_both_ways(
    session: Session, pairs: Sequence[tuple[Story, Story]]
) -> dict[str, object]:
    """Is it right? Is it wrong? With and without "unknown" among the answers. Of right solutions
    and of another problem's, half and half."""
    traces = [
        trace_of(told, n, "polarity", lines_of(other if n % 2 else told))
        for n, (told, other) in enumerate(pairs)
    ]
    found: dict[str, object] = {"asked": len(traces)}
    for name, offered in (("", "yes or no"), ("_with_unknown", "yes, no or unknown")):
        right = await together(*(_asked(session, t, "is_right", offered) for t in traces))
        wrong = await together(*(_asked(session, t, "is_wrong", offered) for t in traces))
        both = [(r, w) for r, w in zip(right, wrong, strict=True) if r and w]
        found[f"read{name}"] = len(both)
        found[f"contradictory{name}"] = sum(r == w != "unknown" for r, w in both)
        found[f"said_no{name}"] = _share([x for pair in both for x in pair], "no")
        found[f"said_unknown{name}"] = _share([x for pair in both for x in pair], "unknown")
    return found


async def asked_in_both_orders(
    session: Session, pairs: Sequence[tuple[Story, Story]]
) -> dict[str, object]:
    """Which of two is better, once in each order: a right solution and another problem's."""
    how = prompt("pairwise", ("question", "first", "second"))
    schema_free = sampling(0.0, ANSWER_TOKENS * 4)

    async def first_or_second(told: Story, one: Story, two: Story) -> str | None:
        judge = session.open_judge()
        asked = how.messages(
            {
                "question": told.question,
                "state": "",
                "first": "".join(lines_of(one)),
                "second": "".join(lines_of(two)),
            }
        )
        said = await judge.read(asked, 1, schema_free, choice)
        return said[0].chosen if said else None

    ahead = await together(*(first_or_second(t, t, o) for t, o in pairs))
    behind = await together(*(first_or_second(t, o, t) for t, o in pairs))
    both = [(a, b) for a, b in zip(ahead, behind, strict=True) if a and b]
    return {
        "asked": len(pairs),
        "read": len(both),
        "contradictory": sum(a == b != "tie" for a, b in both),
        "chose_the_first": _share([x for pair in both for x in pair], "A"),
    }


_WORD = re.compile(r"\b(yes|no|unknown)\b", re.IGNORECASE)


def yes_or_no(text: str) -> str | None:
    """The last of the words, which must be the only one of its kind on its line."""
    lines = [line for line in text[-20_000:].splitlines() if _WORD.search(line)]
    found = {word.lower() for word in _WORD.findall(lines[-1])} if lines else set()
    return found.pop() if len(found) == 1 else None


async def _asked(session: Session, trace: Trace, name: str, offered: str) -> str | None:
    judge: Judge = session.open_judge()
    how = prompt(name, ("question", "steps"))
    asked = how.messages({**fields(trace), "offered": offered})
    said = await judge.read(asked, 1, sampling(0.0, ANSWER_TOKENS), yes_or_no)
    return said[0] if said else None


def _share(said: Sequence[str], word: str) -> float | None:
    return round(said.count(word) / len(said), 4) if said else None
