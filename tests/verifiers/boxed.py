"""A verifier over traces, opened as a run opens it."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

import pytest

from prmdata.errors import SandboxError
from prmdata.records import Evidence, Problem, Step, Trace
from prmdata.registry import make
from prmdata.stages.verify import verified
from prmdata.verifiers import VERIFIERS, ready


def checked(name: str, *traces: Trace, **settings: object) -> list[Evidence]:
    async def work() -> list[Trace]:
        async with ready(make(VERIFIERS, name, settings)) as at_work:
            return [await verified(trace, {name: at_work}) for trace in traces]

    try:
        made = asyncio.run(work())
    except SandboxError as error:
        pytest.skip(str(error))
    return [trace.evidence[-1] for trace in made]


def trace_of(*steps: str | Step, context: Mapping[str, object] | None = None) -> Trace:
    problem = Problem("p", "How many?", context=dict(context or {}))
    made = [Step(step) if isinstance(step, str) else step for step in steps]
    return Trace("p/0", problem, tuple(made))
