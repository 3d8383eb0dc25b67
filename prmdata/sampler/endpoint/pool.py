"""Several servers as one: a request goes to a healthy server, and to another where that one fails.

A server that answers badly rests and is then tried with one request at a time; a run ends when no
server is left. A request that alone gets no proper answer fails alone.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from prmdata.errors import ItemError, SamplerError
from prmdata.sampler.endpoint.balance import Balance
from prmdata.sampler.endpoint.gauges import EVERY_S, Gauges
from prmdata.sampler.endpoint.patience import Busy, Patience
from prmdata.sampler.endpoint.server import Model, Server
from prmdata.sampler.sessions import current

Check = Callable[[dict[str, Any]], object]

TRIES = 8
"""Of a request that alone is answered with garbage, until it fails."""
LATE = 2
"""Times that a request may take too long."""


@dataclass(frozen=True, slots=True)
class Served:
    """What a server calls the model, and where it says that it has it from."""

    name: str
    root: str

    @classmethod
    def of(cls, card: Model) -> Served:
        return cls(card["id"], card.get("root") or card["id"])

    def __str__(self) -> str:
        return self.name if self.root == self.name else f"{self.name} ({self.root})"


@dataclass(frozen=True, slots=True)
class Request:
    path: str
    body: Mapping[str, Any]
    check: Check
    """Raises what is wrong with an answer."""
    most_bytes: int
    """The longest answer that can be honest."""


@dataclass(slots=True)
class Tries:
    """What has become of one request so far."""

    pause_s: float
    answers: int
    """All answers of the run when this request was last tried."""
    bad: int = 0
    late: int = 0
    refusals: list[Server] = field(default_factory=list)

    def failed(self, busy: Busy, answers: int) -> None:
        """Count a fault, and give the request up where it is the request that is at fault."""
        if not (busy.lost or busy.full) and answers > self.answers:
            self.bad, self.answers = self.bad + 1, answers
        self.late += busy.late
        if self.bad == TRIES:
            raise ItemError(f"{busy}, {TRIES} times, while other requests are answered")
        if self.late == LATE:
            raise ItemError(f"{busy}, {LATE} times")


@dataclass(eq=False)
class Pool:
    servers: Sequence[Server]
    served: Served
    tagged: bool = False
    """The user says which weights these are, so that it does not matter where they lie."""
    patience: Patience = field(default_factory=Patience)
    examine: Callable[[Server], Awaitable[None]] | None = None
    """Finds out whether a server that was away at the start can do what the others do."""

    def __post_init__(self) -> None:
        self.balance = Balance(self.servers)
        self._watching: set[asyncio.Task[None]] = set()
        """What reads the servers' gauges, once there is something to do."""

    async def ask(self, request: Request) -> dict[str, Any]:
        """Ask one server after another until one answers, or it takes too long."""
        tries = Tries(self.patience.waits.pause_s, self.patience.answers)
        session = current()
        self._watch()
        while True:
            server = await self.balance.take(tries.refusals, session)
            sent_after = server.window.faults
            try:
                answer = await self._try(server, request, session.name if session else None)
            except ItemError:
                tries.refusals.append(server)
                if self._healthy(without=tries.refusals):
                    continue  # the fault may be the server's
                for refusing in tries.refusals:
                    self._answered(refusing, refusing.window.faults)
                raise
            except Busy as busy:
                self._rest(server, busy, sent_after)
                tries.failed(busy, self.patience.answers)
                resting = busy.lost or busy.wait_s is not None
                wait = not resting and not self._healthy(without=[server])
            else:
                self._answered(server, sent_after)
                for refusing in tries.refusals:
                    refused = Busy(f"{refusing.url} refuses what other servers answer")
                    self._rest(refusing, refused, refusing.window.faults)
                return answer
            finally:
                self.balance.give(server)
            if wait:
                await asyncio.sleep(tries.pause_s * (0.5 + random.random()))
                tries.pause_s = min(tries.pause_s * 2, self.patience.waits.longest_pause_s)

    async def _try(
        self, server: Server, request: Request, session: str | None
    ) -> dict[str, object]:
        try:
            silence = time.monotonic() - server.heard
            if not server.known or silence > self.patience.waits.silence_s:
                await self.greet(server)
            answer = await server.post(
                request.path, request.body, request.most_bytes, session=session
            )
        except ItemError:
            raise
        except SamplerError as error:  # its key, its certificate, its model
            if not self._healthy(without=[server]):
                raise
            raise Busy(str(error), lost=True) from None
        request.check(answer)
        return answer

    async def close(self) -> None:
        for task in self._watching:
            task.cancel()
        await asyncio.gather(*self._watching, return_exceptions=True)
        for server in self.servers:
            await server.client.close()

    def _watch(self) -> None:
        if not self._watching:
            tasks = (asyncio.create_task(self._follow(server)) for server in self.servers)
            self._watching.update(tasks)

    async def _follow(self, server: Server) -> None:
        """Let the window follow the server's gauges, where it has any and is there."""
        last: Gauges | None = None
        while True:
            await asyncio.sleep(EVERY_S)
            if server.window.outstanding and server.window.healthy(time.monotonic()):
                found = await server.gauges()
                if found is None and last is None:
                    return
                preempted = found.preempted - (last or found).preempted if found else 0.0
                server.window.told(found, preempted)
                self.balance.look()
                last = found or last

    async def greet(self, server: Server) -> None:
        """A server that comes back may be another: see that it serves this very model."""
        self.recognise(server, await server.models())
        if server.offers is None and self.examine is not None:
            await self.examine(server)
        server.known = True

    def recognise(self, server: Server, cards: Sequence[Model]) -> None:
        served = [Served.of(card) for card in cards]
        same = (
            one == self.served or (self.tagged and one.name == self.served.name) for one in served
        )
        if not any(same):
            names = ", ".join(str(one) for one in served) or "no model"
            raise SamplerError(f"{server.url} serves {names}, and not {self.served} as before")

    def _answered(self, server: Server, sent_after: int) -> None:
        server.window.answered(sent_after)
        if not server.window.losses:  # else it was on its way when the server went
            self.patience.answered(server.url)

    def _rest(self, server: Server, busy: Busy, sent_after: int) -> None:
        server.known = server.known and not busy.lost
        rest = server.window.failed(busy, sent_after, self.patience.waits, time.monotonic())
        self.balance.rest(rest)
        others = self._healthy(without=[server])
        self.patience.failed(busy, server.url, resting=server.window.losses > 0, others=others)

    def _healthy(self, without: Sequence[Server]) -> bool:
        """Whether any other server answers."""
        now = time.monotonic()
        return any(s not in without and s.window.healthy(now) for s in self.servers)
