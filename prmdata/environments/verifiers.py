"""Tasksets of the package verifiers (version 1): their own tools answer, their own rewards score.

Problems come from the source `verifiers:TASKSET`. What a task needs beside tools in Python (a
container, a runtime, other agents) is not offered; such tasks are refused.
"""

from __future__ import annotations

import contextlib
import importlib.metadata
from collections.abc import AsyncIterator
from dataclasses import dataclass

from prmdata.environments.command import Function
from prmdata.environments.contract import Environment
from prmdata.errors import PrmdataError
from prmdata.settings import Count, Positive

ANSWER = "prmdata.environments.adapters.verifiers:answer"


@dataclass(frozen=True, slots=True)
class Verifiers:
    """Take it where an environment exists as a taskset of verifiers."""

    timeout_s: Positive = 60.0
    """Seconds for one answer; the first one imports the package."""
    workers: Count = 2
    """Processes that answer at the same time."""
    version: str = ""
    """Change it when the taskset answers otherwise than before."""

    @contextlib.asynccontextmanager
    async def opened(self) -> AsyncIterator[Environment]:
        try:
            package = importlib.metadata.version("verifiers")
        except importlib.metadata.PackageNotFoundError:
            raise PrmdataError(
                "environment 'verifiers' needs the package: pip install 'verifiers>=0.4'"
            ) from None
        version = f"{package} {self.version}"
        answers = Function(ANSWER, self.timeout_s, workers=self.workers, version=version)
        async with answers.opened() as environment:
            yield environment
