"""Graders of a user's own, sound and unsound, for the tests."""

from __future__ import annotations

import os
import time


def by_length(answer: str | None, gold: str, problem: dict) -> bool:
    return answer is not None and len(answer) == len(gold)


def by_name(answer: str | None, gold: str, problem: dict) -> str:
    return "unparsed" if answer is None else "right" if problem["id"] == gold else "wrong"


def hangs(answer: str | None, gold: str, problem: dict) -> bool:
    if answer == "hang":
        time.sleep(60)
    return True


def crashes(answer: str | None, gold: str, problem: dict) -> bool:
    if answer == "crash":
        os._exit(3)
    return True


def raises(answer: str | None, gold: str, problem: dict) -> bool:
    raise ValueError("no such answer")


def babbles(answer: str | None, gold: str, problem: dict) -> int:
    return 42
