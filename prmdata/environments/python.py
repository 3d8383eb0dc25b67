"""Runs the Python that a model writes, in the sandbox, as a notebook does.

Names and values stay within a trace: each call runs after the calls before it, in a fresh process.
What it prints is the result, and the value of its last line.
"""

from __future__ import annotations

import contextlib
import secrets
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass

from prmdata.environments.contract import (
    Call,
    Environment,
    Reply,
    Tool,
    function,
    past_calls,
    results,
)
from prmdata.records import Message, Problem
from prmdata.sandbox import Result, Sandbox
from prmdata.settings import Count, Positive

_NOTEBOOK = """\
import ast as _ast, io as _io, random as _random, sys as _sys, traceback as _traceback
_random.seed({seed})
_stdout = _sys.stdout
for _number, _block in enumerate({blocks!r}):
    _last = _number == {last}
    _sys.stdout = _stdout if _last else _io.StringIO()
    if _last:
        print({mark!r}, flush=True)
    try:
        _tree = _ast.parse(_block)
        _final = _tree.body.pop() if _tree.body and isinstance(_tree.body[-1], _ast.Expr) else None
        exec(compile(_tree, "<call>", "exec", dont_inherit=True), globals())
        if _final is not None:
            _code = compile(_ast.Expression(_final.value), "<call>", "eval")
            _sys.displayhook(eval(_code, globals()))
    except SystemExit:
        pass
    except BaseException as _error:
        print("".join(_traceback.format_exception_only(_error)).strip())
"""


@dataclass(frozen=True, slots=True)
class Python:
    """Take it for problems that are worked out by programs."""

    deadline_s: Positive = 5.0
    """Seconds for one call and the calls before it."""
    memory_mb: Count = 512
    """Memory of one call."""
    level: str = "auto"
    """Level of the sandbox; `auto` is the strongest that holds here."""
    workers: Count = 2
    """Programs to run at the same time."""

    @contextlib.asynccontextmanager
    async def opened(self) -> AsyncIterator[Environment]:
        async with Sandbox(self.level, self.workers) as box:
            yield _Open(self, box)


class _Open:
    speaks = False
    replays = True
    _tools = (
        function(
            "python",
            "Runs Python code. Names and values stay from call to call; what it prints and the "
            "value of the last line are the result.",
            code={"type": "string", "description": "The code."},
        ),
    )

    def __init__(self, settings: Python, box: Sandbox) -> None:
        self._settings, self._box = settings, box
        self.identity = f"python-1 {settings.deadline_s:g} s {settings.memory_mb} MB"

    async def tools(self, problem: Problem) -> Sequence[Tool]:
        del problem
        return self._tools

    def key(self, problem: Problem, chat: Sequence[Message]) -> object:
        del problem
        return [
            [call.name, call.id, call.arguments] for calls in self._turns(chat) for call in calls
        ]

    def _turns(self, chat: Sequence[Message]) -> list[list[Call]]:
        return past_calls(chat, self._tools)

    async def answer(self, problem: Problem, chat: Sequence[Message], seed: int) -> Reply:
        del problem
        *earlier, own = self._turns(chat)
        before = [str(c.arguments["code"]) for calls in earlier for c in calls if not c.fault]
        answered = []
        for call in own:
            if call.fault:
                answered.append((call, f"error: {call.fault}"))
                continue
            before.append(str(call.arguments["code"]))
            answered.append((call, await self._run(before, seed)))
        return Reply(results(answered))

    async def _run(self, blocks: Sequence[str], seed: int) -> str:
        mark = f"<{secrets.token_hex(16)}>"
        program = _NOTEBOOK.format(seed=seed, blocks=list(blocks), last=len(blocks) - 1, mark=mark)
        settings = self._settings
        result = await self._box.run(
            program, deadline_s=settings.deadline_s, memory_mb=settings.memory_mb
        )
        return _shown(result, mark, settings)


def _shown(result: Result, mark: str, settings: Python) -> str:
    printed = result.stdout.partition(f"{mark}\n")[2]
    faults = {
        "timeout": f"error: it took longer than {settings.deadline_s:g} s",
        "memory": f"error: it needed more than {settings.memory_mb} MB",
        "killed": "error: it was ended",
        "error": "error: it ended before its time",
    }
    fault = faults.get(result.exit)
    return printed.rstrip("\n") if fault is None else f"{printed}{fault}"
