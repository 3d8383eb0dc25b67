"""Which server gets the next request, and how many each is given at a time.

The number grows by one for each round of answers and halves where a server has too much to do
(additive increase, multiplicative decrease; Chiu and Jain, 1989), from a start that doubles.
"""

from __future__ import annotations

import asyncio
import math
import time
from collections import deque
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from prmdata.sampler.endpoint.patience import Busy, Waits

FIRST_LIMIT = 128.0
FORGIVEN = 2
"""Bad answers in a row, with no good one between them, that a server is forgiven."""


@dataclass(slots=True)
class Window:
    """How many requests one server takes at a time, as far as is known."""

    most: int
    limit: float = FIRST_LIMIT
    outstanding: int = 0
    losses: int = 0
    """Rests in a row: until the server answers again it gets one request at a time."""
    bad_answers: int = 0
    """In a row: errors, garbage and timeouts from a server that is there."""
    rests_until: float = 0.0
    doubted_until: float = 0.0
    """Until then requests go to other servers where those have room."""
    taken_at: float = 0.0
    faults: int = 0
    """Counted once for all requests that were under way: those say nothing new."""
    _doubles: bool = True
    _vanished: bool = False
    """The rest began because nobody was at the address, and not because of bad answers."""

    def __post_init__(self) -> None:
        self.limit = min(self.limit, self.most)

    def room(self, now: float) -> bool:
        allowed = 1 if self.losses else max(1, int(self.limit))
        return self.outstanding < allowed and now >= self.rests_until

    def healthy(self, now: float) -> bool:
        return not self.losses and now >= self.rests_until

    def rank(self, now: float) -> tuple[bool, int, float]:
        """Smallest first: undoubted, least busy, longest without a request."""
        return now < self.doubted_until, self.outstanding, self.taken_at

    def answered(self, sent_after: int) -> None:
        """`sent_after`: the faults that were known when the request was sent."""
        if sent_after == self.faults or not self._vanished:
            self.losses = self.bad_answers = 0
        if self.outstanding >= int(self.limit):  # an unused limit proves nothing
            self.limit = min(self.most, self.limit + (1 if self._doubles else 1 / self.limit))

    def failed(self, busy: Busy, sent_after: int, waits: Waits, now: float) -> float:
        """Seconds for which this server gets no request."""
        rest = busy.wait_s or 0.0
        if sent_after == self.faults:  # else this fault was already counted
            self.bad_answers += 1
            self.doubted_until = now + waits.pause(self.bad_answers)
            if busy.full:
                self.limit = max(1.0, math.floor(min(self.limit, self.outstanding) / 2))
                self._doubles = False
            if busy.lost or self.bad_answers > FORGIVEN:
                rest = max(rest, waits.pause(self.losses))
                self.losses += 1
                self._vanished = busy.lost
            if busy.lost or busy.full or self.losses:
                self.faults += 1
        rest = min(rest, waits.give_up_s)
        self.rests_until = max(self.rests_until, now + rest)
        return rest


class Windowed:
    window: Window


S = TypeVar("S", bound=Windowed)


class Balance(Generic[S]):
    """Hands out servers, healthy and idle ones first; requests that wait are served in turn."""

    def __init__(self, servers: Sequence[S]) -> None:
        self.servers = servers
        self._waiting: deque[tuple[asyncio.Future[S], Collection[S]]] = deque()

    async def take(self, without: Collection[S] = ()) -> S:
        """The next server, none of those in `without`."""
        if not self._waiting and (server := self._open(without)) is not None:
            return self._taken(server)
        turn: asyncio.Future[S] = asyncio.get_running_loop().create_future()
        self._waiting.append((turn, without))
        self._serve_waiting()  # those before it may be waiting for one server only
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
        passed: list[tuple[asyncio.Future[S], Collection[S]]] = []
        while self._waiting and self._open(()) is not None:
            turn, without = self._waiting.popleft()
            if turn.done():  # it was cancelled
                continue
            if (server := self._open(without)) is None:
                passed.append((turn, without))
            else:
                turn.set_result(self._taken(server))
        self._waiting.extendleft(reversed(passed))

    def _taken(self, server: S) -> S:
        server.window.outstanding += 1
        server.window.taken_at = time.monotonic()
        return server

    def _open(self, without: Collection[S]) -> S | None:
        now = time.monotonic()
        with_room = (s for s in self.servers if s not in without and s.window.room(now))
        return min(with_room, key=lambda server: server.window.rank(now), default=None)
