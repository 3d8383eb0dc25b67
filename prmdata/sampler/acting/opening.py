"""Opens the environments of a run, behind its store, when a trace first needs them."""

from __future__ import annotations

import asyncio
import contextlib
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec

from prmdata.environments import Opens, environment, is_harmless
from prmdata.errors import ItemError
from prmdata.records import Trace
from prmdata.sampler.acting.playing import TURNS, Limits
from prmdata.sampler.acting.recorded import Recorded
from prmdata.sampler.storage.store import Store

LONGEST = 20_000


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a user asks of environments."""

    spec: str | None = None
    """`None`: what the traces name."""
    settings: Mapping[str, Any] = field(default_factory=dict)
    turns: int | None = None
    """Turns of the assistant in a trace."""
    observation: int | None = None
    """Characters of one answer of a tool."""
    seconds: float | None = None
    """Of one episode: after them no turn is begun."""

    def record(self) -> dict[str, Any]:
        """As a trace keeps it."""
        limits: dict[str, object] = {
            "turns": self.turns or TURNS,
            "observation": self.observation or LONGEST,
        }
        if self.seconds is not None:
            limits["seconds"] = self.seconds
        return {"spec": self.spec, "settings": dict(self.settings), **limits}

    def pinned(self) -> dict[str, object]:
        """What a run may not change when it goes on; nothing where nothing was asked."""
        return {"environment": self.record()} if self != Surroundings() else {}


class Environments:
    def __init__(self, asked: Surroundings | None = None, store: Store | None = None) -> None:
        self.asked, self._store = asked or Surroundings(), store
        self.counts: Counter[str] = Counter()
        self._open: dict[bytes, asyncio.Task[Recorded]] = {}
        self._closing = contextlib.AsyncExitStack()

    async def of(self, trace: Trace) -> tuple[Recorded | None, Limits]:
        """The environment of a trace (none for a chat without tools), and the limits."""
        named = trace.origin.environment
        limits = Limits(
            self.asked.turns or named.get("turns") or TURNS,
            self.asked.seconds or named.get("seconds"),
        )
        if self.asked.spec is not None:
            return await self.opened(self.asked.record()), limits
        spec = named.get("spec")
        if spec is None:
            if trace.origin.tools or any(step.calls for step in trace.steps):
                raise ItemError(
                    f"trace {trace.id} acts with tools: name what answers it, with --environment "
                    "(`prmdata sources` lists them), or label it from evidence: `prmdata "
                    "verify`, then `prmdata label --method threshold`"
                )
            return None, limits
        if not is_harmless(str(spec)):
            raise ItemError(
                f"trace {trace.id} was answered by {spec}. What a file names is not run or asked "
                "by itself; if you trust it, repeat it: --environment"
            )
        return await self.opened(named), limits

    async def opened(self, named: Mapping[str, Any]) -> Recorded:
        longest = self.asked.observation or named.get("observation") or LONGEST
        key = msgspec.json.encode([named["spec"], named.get("settings"), longest])
        if key not in self._open:
            how = environment(str(named["spec"]), named.get("settings") or {})
            self._open[key] = asyncio.ensure_future(self._entered(how, int(longest)))
        return await asyncio.shield(self._open[key])

    async def _entered(self, how: Opens, longest: int) -> Recorded:
        entered = await self._closing.enter_async_context(how.opened())
        recorded = Recorded(entered, self._store, longest)
        recorded.counts = self.counts
        return recorded

    async def close(self) -> None:
        await self._closing.aclose()
