"""A task that raises, one that kills its worker, and a worker that cannot start: kept apart."""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path

import pytest

from prmdata.errors import UsageError
from prmdata.grading import Grader
from prmdata.grading.workers import Crashed, Pool, Raised
from prmdata.records import Problem

TASKS = """
import os
def told(word):
    if word == "fill":
        raise MemoryError
    if word == "raise":
        raise ValueError("no such word")
    return os.getpid()
"""


def test_a_worker_outlives_what_its_task_raises() -> None:
    Path("worker_tasks.py").write_text(TASKS)

    async def ask() -> None:
        pool = Pool("worker_tasks:told", timeout_s=9.0)
        try:
            first = await pool.call(["pid"])
            with pytest.raises(Raised, match="ValueError: no such word"):
                await pool.call(["raise"])
            assert await pool.call(["pid"]) == first
            with pytest.raises(Crashed):  # what fills it would fail the next tasks too
                await pool.call(["fill"])
            assert await pool.call(["pid"]) != first
        finally:
            await pool.close()

    asyncio.run(ask())


def test_a_grader_that_cannot_be_loaded_calls_no_answer_unparsed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    Path("math_verify.py").write_text("raise ImportError('a broken install')\n")
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(Path.cwd()), *sys.path]))

    async def ask() -> None:
        grader = Grader()
        try:
            with pytest.raises(UsageError, match=r"symbolic.*a broken install.*install"):
                await grader.grade(r"\boxed{3x}", Problem("p", "?", "x*3"))
        finally:
            await grader.close()

    asyncio.run(ask())


def test_a_module_may_fail_in_any_way_as_it_is_loaded() -> None:
    Path("worker_typo.py").write_text("def told(:\n")

    async def ask() -> None:
        pool = Pool("worker_typo:told")
        try:
            with pytest.raises(UsageError, match="cannot load worker_typo:told: SyntaxError"):
                await pool.call(["pid"])
        finally:
            await pool.close()

    asyncio.run(ask())
