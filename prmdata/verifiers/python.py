"""Runs the Python that steps show, and checks the output they state (ToolComp, ToRA).

Each block runs in the sandbox after the blocks before it, as in a notebook. The verdict stands at
the step where the block ends. What the machine decides (a missing module, a file, chance, time)
leaves it unknown.
"""

from __future__ import annotations

import contextlib
import re
import secrets
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass

from prmdata.records import Trace
from prmdata.sandbox import Result, Sandbox
from prmdata.settings import Count, Positive, settings_of
from prmdata.verifiers.code.printed import agrees, names
from prmdata.verifiers.code.snippets import Snippet, snippets
from prmdata.verifiers.contract import Finding, Ready

_UNREPEATABLE = re.compile(
    r"\b(?:random|secrets|uuid|time|datetime|perf_counter|input|open|requests|urllib|socket|"
    r"subprocess|platform|getpid|environ|argv|shuffle|id|hash)\b"
)
_SURROUNDINGS = frozenset(
    {"ModuleNotFoundError", "ImportError", "OSError", "FileNotFoundError", "PermissionError"}
    | {"EOFError", "BlockingIOError", "ConnectionError", "MemoryError", "RecursionError"}
)
"""Errors that say more of the machine than of the code."""
_NOTEBOOK = """\
import ast as _ast, sys as _sys
_failed = 0
for _block in {earlier!r}:
    try:
        exec(_block, globals())
    except BaseException:
        _failed += 1
print({mark!r} + str(_failed), flush=True)
_tree, _shown = _ast.parse({code!r}), None
_last = _tree.body.pop() if _tree.body and isinstance(_tree.body[-1], _ast.Expr) else None
try:
    exec(compile(_tree, "<step>", "exec", dont_inherit=True), globals())
    if _last is not None:
        _shown = eval(compile(_ast.Expression(_last.value), "<step>", "eval"), globals())
except SystemExit as _end:
    if _end.code:
        raise
print({mark!r})
_sys.displayhook(_shown)
"""


@dataclass(frozen=True, slots=True)
class Python:
    """Runs the Python of each step, and compares what it prints with what the trace says."""

    deadline_s: Positive = 5.0
    """Seconds for one block and the blocks before it."""
    memory_mb: Count = 512
    level: str = "auto"
    """Level of the sandbox; `auto` is the strongest that holds here."""
    workers: Count = 2
    """Programs to run at the same time."""

    @contextlib.asynccontextmanager
    async def opened(self) -> AsyncIterator[Ready]:
        async with Sandbox(self.level, self.workers) as box:

            async def verify(trace: Trace) -> list[Finding]:
                return await self.check(trace, box)

            yield Ready(verify, {**settings_of(self), "sandbox": box.level.name})

    async def check(self, trace: Trace, box: Sandbox) -> list[Finding]:
        findings = [Finding("unknown")] * len(trace.steps)
        shown = snippets(trace)
        for at, snippet in enumerate(shown):
            earlier = [before.code for before in shown[:at]]
            found = await self._finding(snippet, earlier, box)
            findings[snippet.step] = _worse(findings[snippet.step], found)
        return findings

    async def _finding(self, snippet: Snippet, earlier: Sequence[str], box: Sandbox) -> Finding:
        code = [*earlier, snippet.code]
        if snippet.stated is None or any(map(_UNREPEATABLE.search, code)) or ">>> " in snippet.code:
            return Finding("unknown")
        mark = f"<{secrets.token_hex(16)}>"
        program = _NOTEBOOK.format(earlier=list(earlier), code=snippet.code, mark=mark)
        result = await box.run(program, deadline_s=self.deadline_s, memory_mb=self.memory_mb)
        return _judged(snippet, result, mark)


def _judged(snippet: Snippet, result: Result, mark: str) -> Finding:
    _, _, here = result.stdout.partition(mark)
    failed_before, _, here = here.partition("\n")
    if result.exit == "error":
        error = (result.stderr.strip().splitlines() or ["no good end"])[-1]
        ours = failed_before == "0" and error.split(":")[0] not in _SURROUNDINGS
        return Finding("wrong" if ours else "unknown", f"fails: {error[:160]}")
    if result.exit != "ok":
        return Finding("unknown", f"was ended: {result.exit}")
    printed, _, value = here.partition(f"{mark}\n")
    same = _agreement(snippet, printed, value)
    if same or same is None:
        return Finding("right" if same else "unknown")
    return Finding("wrong", f"prints {_short(printed + value)}, not {_short(snippet.stated or '')}")


def _agreement(snippet: Snippet, printed: str, value: str) -> bool | None:
    """The value of a last expression may be shown, as a notebook does, or not."""
    compare = names if snippet.by == "sentence" else agrees
    found = [compare(snippet.stated or "", output) for output in (printed, printed + value)]
    return True if True in found else None if None in found else False


def _short(text: str) -> str:
    words = " ".join(text.split())
    return repr(words if len(words) <= 70 else f"{words[:69]}…")


def _worse(one: Finding, other: Finding) -> Finding:
    """Of several blocks in a step, a wrong one counts most, an unknown one least."""
    order = ("unknown", "right", "wrong")
    return max(one, other, key=lambda found: (order.index(found.verdict), bool(found.note)))
