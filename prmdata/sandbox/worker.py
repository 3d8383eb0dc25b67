"""Our side of one zygote: start it, ask it to run something, replace it when it is gone."""

from __future__ import annotations

import asyncio
import contextlib
import json
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from typing import Any

from prmdata.errors import SandboxError
from prmdata.sandbox import frames, places

START_S = 60.0
GRACE_S = 5.0
"""A zygote that has not answered this long after a deadline is replaced."""


class Lost(Exception):
    """The zygote died, or no longer answers."""


class Worker:
    """One zygote and its scratch folder, started when first needed."""

    def __init__(self, layers: Sequence[str]) -> None:
        self._layers = layers
        self._process: asyncio.subprocess.Process | None = None
        self._scratch: str | None = None

    async def run(
        self, request: dict[str, Any], tests: dict[str, object] | None = None
    ) -> dict[str, Any]:
        """Cancelled or lost, the process and all it started are gone."""
        messages = [json.dumps({**request, "judged": tests is not None}).encode()]
        messages += [] if tests is None else [json.dumps(tests).encode()]
        process = await self.started()
        try:
            assert process.stdin is not None
            for message in messages:
                process.stdin.write(frames.framed(message))
            async with asyncio.timeout(request["deadline_s"] + GRACE_S):
                answered: dict[str, object] = json.loads(await frames.answer(process))
                return answered
        except (TimeoutError, asyncio.IncompleteReadError, ConnectionError):
            await self.close()
            raise Lost from None
        except asyncio.CancelledError:
            await self.close()
            raise

    async def started(self) -> asyncio.subprocess.Process:
        if self._process is not None and self._process.returncode is None:
            return self._process
        await self.close()
        self._process = process = await self._start()
        try:
            async with asyncio.timeout(START_S):
                failed = json.loads(await frames.answer(process)).get("failed")
        except (TimeoutError, asyncio.IncompleteReadError):
            failed = "its interpreter did not start"
        if failed:
            await self.close()
            raise SandboxError(failed)
        return process

    async def _start(self) -> asyncio.subprocess.Process:
        self._scratch = tempfile.mkdtemp(prefix="prmdata-sandbox-")
        settings = {
            "layers": self._layers,
            "readable": places.readable(),
            "scratch": self._scratch,
        }
        return await asyncio.create_subprocess_exec(
            *places.command(json.dumps(settings)),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            cwd=self._scratch,
            env=places.environment(self._scratch),
            start_new_session=True,
        )

    async def close(self) -> None:
        """Its children die with it: the kernel sees to that."""
        process, self._process = self._process, None
        scratch, self._scratch = self._scratch, None
        if process is not None:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.wait()
            frames.let_go(process)
        if scratch is not None:
            shutil.rmtree(scratch, ignore_errors=True)
