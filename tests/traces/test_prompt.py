from __future__ import annotations

from pathlib import Path

import pytest

from prmdata.errors import InputError, UsageError
from prmdata.traces.prompt import parse_keep, read_few_shot, template_arguments, template_named


def test_examples_become_turns() -> None:
    Path("few.jsonl").write_text(
        '{"question": "1 + 1?", "solution": "It is 2."}\n{"question": "q", "answer": "a"}\n'
    )
    assert read_few_shot("few.jsonl", "Solve: {question}") == (
        {"role": "user", "content": "Solve: 1 + 1?"},
        {"role": "assistant", "content": "It is 2."},
        {"role": "user", "content": "Solve: q"},
        {"role": "assistant", "content": "a"},
    )
    Path("bad.jsonl").write_text('{"question": "no solution"}\n')
    with pytest.raises(InputError, match=r"bad.jsonl:1: an example needs"):
        read_few_shot("bad.jsonl", "{question}")


def test_words_for_pass_rates_and_templates() -> None:
    assert parse_keep("0.1..0.9") == (0.1, 0.9)
    assert template_named("raw") == "raw"
    for bad in ("0.9..0.1", "0.5", "a..b", "0..2"):
        with pytest.raises(UsageError, match="--keep"):
            parse_keep(bad)
    with pytest.raises(UsageError, match="did you mean 'chat'"):
        template_named("chta")


def test_arguments_of_a_template_are_json_or_text() -> None:
    words = ["enable_thinking=false", "budget=64", "date=1 May 2026", 'tools=["a"]']
    assert template_arguments(words) == {
        "enable_thinking": False,
        "budget": 64,
        "date": "1 May 2026",
        "tools": ["a"],
    }
    for bad in ("thinking", "=1", "a b=1", "messages=[]"):
        with pytest.raises(UsageError, match="--template-arg"):
            template_arguments([bad])
