"""Which server gets the next request, and how many each is given at a time.

The number grows by one for each round of answers and halves where a server has too much to do
(additive increase, multiplicative decrease; Chiu and Jain, 1989), from a start that doubles.
"""

from __future__ import annotations

import asyncio
import math
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from prmdata.sampler.endpoint.patience import Busy, Waits

FIRST_LIMIT = 128.0


@dataclass(slots=True)
class Window:
    """How many requests one server takes at a time, as far as is known."""

    most: int
    limit: float = FIRST_LIMIT
    outstanding: int = 0
    losses: int = 0
    """Tries in a row to which nobody answered: one at a time is made until somebody does."""
    rests_until: float = 0.0
    faults: int = 0
    """Counted once for all requests that were under way: those say nothing new."""
    _doubles: bool = True

    def __post_init__(self) -> None:
        self.limit = min(self.limit, self.most)

    def room(self, now: float) -> bool:
        allowed = 1 if self.losses else max(1, int(self.limit))
        return self.outstanding < allowed and now >= self.rests_until

    def answered(self, sent_after: int) -> None:
        """`sent_after`: the faults that were known when the request was sent."""
        if sent_after == self.faults:
            self.losses = 0
        if self.outstanding >= int(self.limit):  # an unused limit proves nothing
            self.limit = min(self.most, self.limit + (1 if self._doubles else 1 / self.limit))

    def failed(self, busy: Busy, sent_after: int, waits: Waits, now: float) -> float:
        """Seconds for which this server is left in peace."""
        rest, news = busy.wait_s or 0.0, sent_after == self.faults
        if news and (busy.full or busy.lost):
            self.faults += 1
        if news and busy.full:
            self.limit = max(1.0, math.floor(min(self.limit, self.outstanding) / 2))
            self._doubles = False
        if news and busy.lost:
            rest = min(waits.pause_s * 2.0 ** min(self.losses, 20), waits.longest_pause_s)
            self.losses += 1
        self.rests_until = max(self.rests_until, now + rest)
        return rest


class Windowed:
    window: Window


S = TypeVar("S", bound=Windowed)


class Balance(Generic[S]):
    """Hands out servers, the one with the fewest requests first; who waits is served in turn."""

    def __init__(self, servers: Sequence[S]) -> None:
        self.servers = servers
        self._waiting: deque[asyncio.Future[S]] = deque()

    async def take(self) -> S:
        if not self._waiting and (server := self._open()) is not None:
            server.window.outstanding += 1
            return server
        turn: asyncio.Future[S] = asyncio.get_running_loop().create_future()
        self._waiting.append(turn)
        try:
            return await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():
                self.give(turn.result())
            raise

    def give(self, server: S) -> None:
        server.window.outstanding -= 1
        self._serve_waiting()

    def rest(self, seconds: float) -> None:
        """Look again when a server has rested."""
        asyncio.get_running_loop().call_later(seconds, self._serve_waiting)

    def _serve_waiting(self) -> None:
        while self._waiting:
            if self._waiting[0].done():  # it was cancelled
                self._waiting.popleft()
            elif (server := self._open()) is None:
                return
            else:
                server.window.outstanding += 1
                self._waiting.popleft().set_result(server)

    def _open(self) -> S | None:
        now = time.monotonic()
        with_room = (server for server in self.servers if server.window.room(now))
        return min(with_room, key=lambda server: server.window.outstanding, default=None)
