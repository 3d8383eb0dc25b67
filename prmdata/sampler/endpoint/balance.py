"""Which server gets the next request.

Requests of one trace go to one server, which has the beginning of their prompts in its cache; those
of a new trace to the server of its problem, unless that is far behind, else to the one with the
fewest. A request waits for its server while that is merely full. A server that has little to do, or
whose neighbour is away, takes over whole problems: of those that wait there the one that came last,
whose beginning is the least likely to be in the other's cache.
"""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict, deque
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from prmdata.sampler.endpoint.window import Window
from prmdata.sampler.sessions import Session

MOST_SESSIONS = 1 << 13
"""Those used longest ago are forgotten: their prompts are in no cache any more."""


class Windowed:
    window: Window


S = TypeVar("S", bound=Windowed)


class Homes(Generic[S]):
    """Where each trace and each problem is at home."""

    def __init__(self, servers: Sequence[S]) -> None:
        self._servers = servers
        self._homes: OrderedDict[Session, S] = OrderedDict()
        self._counts = {id(server): 0 for server in servers}

    def of(self, session: Session, now: float) -> S:
        home = self._homes.get(session)
        if home is None:
            home = self._chosen(session, now)
            self._settle(session, home)
        self._homes.move_to_end(session)
        return home

    def move(self, sessions: Iterable[Session], home: S) -> None:
        """From now on these, and what is new of their problems, are at home there."""
        for session in sessions:
            self._settle(session, home)
            self._settle(Session(session.problem), home)

    def _chosen(self, session: Session, now: float) -> S:
        healthy = [s for s in self._servers if s.window.healthy(now)] or list(self._servers)
        family = self._homes.get(Session(session.problem)) if session.trace else None
        mean = sum(server.window.outstanding for server in healthy) / len(healthy)
        if family in healthy and not family.window.behind(mean):
            return family
        chosen = min(healthy, key=lambda s: (self._counts[id(s)], s.window.outstanding))
        if session.trace:
            self._settle(Session(session.problem), chosen)
        return chosen

    def _settle(self, session: Session, home: S) -> None:
        before = self._homes.get(session)
        if before is not None:
            self._counts[id(before)] -= 1
        self._homes[session] = home
        self._counts[id(home)] += 1
        if len(self._homes) > MOST_SESSIONS:
            self._counts[id(self._homes.popitem(last=False)[1])] -= 1


@dataclass(eq=False, slots=True)
class Waiting(Generic[S]):
    turn: asyncio.Future[S]
    without: Collection[S]
    """Servers that have refused it."""
    number: int
    session: Session | None = None


class Balance(Generic[S]):
    """Hands out servers; requests that wait are served in turn, those of each server by itself."""

    def __init__(self, servers: Sequence[S]) -> None:
        self.servers = servers
        self.homes: Homes[S] | None = Homes(servers) if len(servers) > 1 else None
        self._anywhere: deque[Waiting[S]] = deque()
        self._at: dict[int, deque[Waiting[S]]] = {id(server): deque() for server in servers}
        """What waits for one server, by the server."""
        self._count = 0

    async def take(self, without: Collection[S] = (), session: Session | None = None) -> S:
        """The next server, none of those in `without`; the session's own where that can be."""
        home = self._home(without, session)
        turn: asyncio.Future[S] = asyncio.get_running_loop().create_future()
        self._count += 1
        queue = self._anywhere if home is None else self._at[id(home)]
        queue.append(Waiting(turn, without, self._count, session))
        self._serve_waiting()
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

    def look(self) -> None:
        """A window has changed."""
        self._serve_waiting()

    def _home(self, without: Collection[S], session: Session | None) -> S | None:
        if session is None or without or self.homes is None:
            return None
        return self.homes.of(session, time.monotonic())

    def _serve_waiting(self) -> None:
        now = time.monotonic()
        while with_room := [server for server in self.servers if server.window.room(now)]:
            with_room.sort(key=lambda server: server.window.rank(now))
            for server in with_room:
                found = self._next_for(server, now)
                if found is not None:
                    server.window.outstanding += 1
                    server.window.taken_at = time.monotonic()
                    found.turn.set_result(server)
                    break
            else:
                return

    def _next_for(self, server: S, now: float) -> Waiting[S] | None:
        """What this server does next: its own, what may go anywhere, or what waits elsewhere."""
        own = self._at[id(server)]
        first, anywhere = _first(own, server), _first(self._anywhere, server)
        if first is not None and (anywhere is None or first.number < anywhere.number):
            own.remove(first)
            return first
        if anywhere is not None:
            self._anywhere.remove(anywhere)
            return anywhere
        others = [s for s in self.servers if s is not server and self._at[id(s)]]
        away = [s for s in others if not s.window.healthy(now)]
        for other in away or (others if server.window.slack else ()):
            if not other.window.room(now) and self._take_over(other, server):
                return self._next_for(server, now)
        return None

    def _take_over(self, other: S, server: S) -> bool:
        """Let the last problem that waits for the other server wait for this one."""
        queue = self._at[id(other)]
        problems = [one.session.problem for one in queue if one.session and not one.turn.done()]
        if not problems or self.homes is None:
            return False
        moved = [one for one in queue if one.session and one.session.problem == problems[-1]]
        gone = {id(one) for one in moved}
        self._at[id(other)] = deque(one for one in queue if id(one) not in gone)
        self._at[id(server)].extend(moved)
        self.homes.move([one.session for one in moved if one.session], server)
        return True


def _first(queue: deque[Waiting[S]], server: S) -> Waiting[S] | None:
    """The one that waits longest for any server such as this; those that were cancelled go."""
    while queue and queue[0].turn.done():
        queue.popleft()
    return next((one for one in queue if not one.turn.done() and server not in one.without), None)
