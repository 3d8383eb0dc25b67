"""How many requests one server is given at a time.

Where a server tells its own state (`gauges`), the number follows that: a short queue, no
preemptions, room in the cache. Elsewhere it grows by one for each round of answers and halves where
a server has too much to do (additive increase, multiplicative decrease; Chiu and Jain, 1989), from
a start that doubles.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from prmdata.sampler.endpoint.gauges import Gauges
from prmdata.sampler.endpoint.patience import Busy, Waits

FIRST_LIMIT = 128.0
FORGIVEN = 2
"""Bad answers in a row, with no good one between them, that a server is forgiven."""
QUEUE = 0.125
"""Requests that may wait in a server, beside those that it works on: it is never without work."""
CACHE_FULL = 0.95
"""From here on the next sequences push out others, or the cached beginnings of them."""
GROWTH, SHRINKING = 1.5, 0.9
SLACK = 8
"""Requests; a difference of so few says nothing."""


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
    _told: bool = False
    """The server says how it is, so that its answers need not tell."""
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
        if self.outstanding >= int(self.limit) and not self._told:  # unused, it proves nothing
            self.limit = min(self.most, self.limit + (1 if self._doubles else 1 / self.limit))

    def told(self, gauges: Gauges | None, preempted: float) -> None:
        """Follow what the server says of itself; `preempted`: sequences since the last time."""
        self._told = gauges is not None
        if gauges is None:
            return
        in_it = gauges.running + gauges.waiting
        wanted = gauges.running * (1 + QUEUE) + 1
        limit = self.limit
        if preempted > 0:
            limit = min(limit, self.outstanding * SHRINKING)
        elif gauges.waiting > gauges.running * QUEUE + 1:  # it takes no more at a time than it runs
            limit = min(limit, self.outstanding * wanted / in_it)
        elif self.outstanding >= int(limit) and gauges.cache < CACHE_FULL:
            limit *= GROWTH
        self.limit = min(float(self.most), max(1.0, limit))

    def behind(self, others: float) -> bool:
        """Whether it has far more to do than the others have on average."""
        return self.outstanding >= 2 * others + SLACK

    @property
    def slack(self) -> bool:
        """Whether it has so little to do that it may take what waits for another one."""
        return self.outstanding < self.limit / 2

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
