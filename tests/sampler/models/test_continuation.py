"""Tags that open a turn, and stop strings, where one text goes on another."""

from __future__ import annotations

import pytest

from prmdata.sampler.models.continuation import ends_at_once, joined

THOUGHT = "<think>\nAdd them.\n</think>\n\n7"


@pytest.mark.parametrize(
    ("prompt", "text", "whole"),
    [
        ("<|Assistant|><think>\n", THOUGHT, "<|Assistant|>" + THOUGHT),
        ("<|Assistant|><think>", THOUGHT, "<|Assistant|>" + THOUGHT),
        ("<|Assistant|><think>\n", "\n" + THOUGHT, "<|Assistant|>\n" + THOUGHT),
        ("<|Assistant|>", THOUGHT, "<|Assistant|>" + THOUGHT),
        ("A:<think>\n", "Add them.\n</think>\n\n7", "A:<think>\nAdd them.\n</think>\n\n7"),
        ("A:<think>\n\n</think>\n\n", THOUGHT, "A:" + THOUGHT),
        ("A:<think>\n\n</think>\n\n", "7", "A:<think>\n\n</think>\n\n7"),
        ("A:[THINK]", "[THINK]Add.[/THINK]7", "A:[THINK]Add.[/THINK]7"),
        ("A:<reasoning>\n", "<reasoning>Add.</reasoning>7", "A:<reasoning>Add.</reasoning>7"),
        ("A:<think>\n", "<thinking>Add.</thinking>7", "A:<think>\n<thinking>Add.</thinking>7"),
        ("<|im_start|>assistant\n", THOUGHT, "<|im_start|>assistant\n" + THOUGHT),
        ("", THOUGHT, THOUGHT),
    ],
)
def test_the_tag_that_opens_a_turn_stands_there_once(prompt: str, text: str, whole: str) -> None:
    assert joined(prompt, text) == whole


@pytest.mark.parametrize(
    ("prefix", "text", "ended"),
    [
        ("It is 7.\n\n", "Question: How", True),
        ("It is 7.\n", "\nQuestion:", True),
        ("It is 7.\n\nQuest", "ion: How", True),
        ("It is 7.\n\n", "Quest", False),
        ("It is 7. ", "Question: How", False),
        ("It is 7.", "\n\nQuestion:", False),
        ("", "Question:", False),
    ],
)
def test_a_stop_string_may_begin_in_the_prefix(prefix: str, text: str, ended: bool) -> None:
    assert ends_at_once(prefix, text, ("###", "\n\nQuestion:")) is ended


def test_hostile_prompts_take_no_time() -> None:
    assert joined("<" * 100_000 + " " * 100_000, "<think>").endswith("<think>")
