"""A text that writes a program → whether the program passes its problem's tests, in the sandbox."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping
from typing import Literal

from prmdata.errors import SandboxError
from prmdata.grading.suite import suite_of
from prmdata.sandbox import Sandbox

CPU_S = 5.0
"""Processor time for all tests on one program; what takes longer has failed."""
_FENCE = re.compile(r"^\s*(?:```|~~~)")


class CodeGrader:
    """Opens the sandbox when the first program comes."""

    def __init__(self) -> None:
        self._box: Sandbox | None = None
        self._opening = asyncio.Lock()

    async def grade(
        self, text: str, context: Mapping[str, object]
    ) -> Literal["right", "wrong"] | None:
        """None where the problem has no tests, or none that can be worked out."""
        suite = suite_of(context)
        if suite is None:
            return None
        lines, _ = program_lines(text, context)
        outcome = await suite.outcome("\n".join(lines), await self._opened(), CPU_S)
        return "right" if outcome == "pass" else "wrong"

    async def _opened(self) -> Sandbox:
        async with self._opening:
            if self._box is None:
                try:
                    self._box = await Sandbox().__aenter__()
                except SandboxError as error:
                    raise SandboxError(
                        f"problems of kind 'code' are graded by their tests, and {error}; or give "
                        "a grader of your own (--grader)"
                    ) from None
            return self._box

    async def close(self) -> None:
        if self._box is not None:
            await self._box.close()


def program_lines(text: str, context: Mapping[str, object]) -> tuple[list[str], int]:
    """The program's lines, and how many of them are the prompt's, which the others complete.

    Where there are fences, what stands outside of them is left blank.
    """
    lines = _inside(text.split("\n"))
    prompt = str(context.get("prompt") or "")
    name = str(context.get("entry_point") or "")
    if not prompt or any(re.match(rf"(?:async )?def {re.escape(name)}\b", line) for line in lines):
        return lines, 0
    before = prompt.rstrip("\n").split("\n")
    return [*before, *lines], len(before)


def _inside(lines: list[str]) -> list[str]:
    if not any(map(_FENCE.match, lines)):
        return lines
    kept, inside = [], False
    for line in lines:
        fence = _FENCE.match(line) is not None
        inside ^= fence
        kept.append(line if inside and not fence else "")
    return kept
