"""The question alone, or all that a trace was sampled with."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from prmdata.records import Origin
from tests.exports.cases import PROBLEM, RIGHT, WRONG, exported

ASKED = f"{PROBLEM.question}\n\nEnd with the answer."
MESSAGES = ({"role": "system", "content": "Be brief."}, {"role": "user", "content": ASKED})
TURNS = [{"from": "system", "value": "Be brief."}, {"from": "human", "value": ASKED}]
BARE = f"Be brief.\n\n{ASKED}"
SAMPLED = [replace(trace, origin=Origin(messages=MESSAGES)) for trace in (WRONG, RIGHT)]


@pytest.mark.parametrize(
    ("name", "layout", "column", "begins"),
    [
        ("sft", "messages", "messages", MESSAGES),
        ("sft", "prompt", "prompt", f"{BARE}\n"),
        ("sft", "text", "text", f"{BARE}\n4 * 2"),
        ("sft", "llamafactory", "conversations", TURNS),
        ("kto", "trl", "prompt", MESSAGES),
        ("kto", "ms-swift", "messages", MESSAGES),
        ("kto", "llamafactory", "conversations", TURNS),
        ("pairs", "trl", "prompt", MESSAGES),
        ("pairs", "llamafactory", "conversations", TURNS),
        ("pairs", "ms-swift", "messages", MESSAGES),
        ("pairs", "nemo-rl", "context", MESSAGES),
        ("pairs", "step-dpo", "prompt", BARE),
    ],
)
def test_the_messages_a_trace_was_sampled_with(
    name: str, layout: str, column: str, begins: Any, tmp_path: Path
) -> None:
    settings = {"layout": layout, "prompt": "sampled"}
    loaded, _ = exported(tmp_path, name, SAMPLED, settings)
    found = loaded[0][column]
    if isinstance(begins, str):
        assert found.startswith(begins)
    else:
        assert found[: len(begins)] == list(begins)
        answer = found[len(begins) :]
        assert [turn.get("role", turn.get("from")) for turn in answer] in (
            [],
            ["assistant"],
            ["gpt"],
        )


@pytest.mark.parametrize("name", ["sft", "kto", "pairs"])
def test_the_question_alone_unless_more_is_asked_for_and_known(name: str, tmp_path: Path) -> None:
    layout = "messages" if name == "sft" else "trl"
    loaded, _ = exported(tmp_path / "a", name, SAMPLED, {"layout": layout})
    elsewhere = {"layout": layout, "prompt": "sampled"}
    foreign, _ = exported(tmp_path / "b", name, [WRONG, RIGHT], elsewhere)
    for found in (loaded[0], foreign[0]):
        column = "messages" if name == "sft" else "prompt"
        assert found[column][0] == {"role": "user", "content": PROBLEM.question}
