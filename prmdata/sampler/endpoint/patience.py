"""How long servers that do not answer are waited for, and what is said meanwhile."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol, runtime_checkable

from prmdata.durations import spell
from prmdata.errors import SamplerError

Tell = Callable[[str], None]


class Busy(Exception):
    """A server did not answer, or not with what it was asked for: it is asked again."""

    def __init__(
        self,
        reason: str,
        wait_s: float | None = None,
        *,
        lost: bool = False,
        full: bool = False,
        late: bool = False,
    ) -> None:
        super().__init__(reason)
        self.wait_s = wait_s
        """The server's Retry-After, in seconds."""
        self.lost = lost
        """Nobody who could answer is at its address."""
        self.full = full
        """It has too much to do."""
        self.late = late
        """It took longer than the time limit."""


@dataclass(frozen=True, slots=True)
class Waits:
    """How long to wait, in seconds."""

    give_up_s: float = 600.0
    """Without any answer, from the first fault on."""
    pause_s: float = 0.2
    """After the first fault; doubled with each further one, up to the next."""
    longest_pause_s: float = 10.0
    say_s: float = 10.0
    """Between two lines about the same wait."""
    silence_s: float = 1.0
    """After this long without an answer a server may be another: it is asked what it serves."""

    def pause(self, earlier: int) -> float:
        """How long to rest after a fault that `earlier` ones preceded."""
        return float(min(self.pause_s * 2.0 ** min(earlier, 20), self.longest_pause_s))


@runtime_checkable
class Patient(Protocol):
    """A sampler that may have to wait for somebody."""

    def wait_as(self, waits: Waits, tell: Tell) -> None: ...


@dataclass(slots=True)
class Patience:
    """What all requests of a run have met with together: any answer ends the trouble."""

    waits: Waits = Waits()
    tell: Tell = lambda line: None
    answers: int = 0
    _since: float | None = None
    _said: float | None = None
    _away: set[str] = field(default_factory=set)

    def answered(self, url: str) -> None:
        self.answers += 1
        self._away.discard(url)
        if self._said is not None and self._since is not None:
            self.tell(f"the server answers again after {spell(self._now() - self._since)}")
        self._since = self._said = None

    def failed(self, busy: Busy, url: str, *, resting: bool, others: bool) -> None:
        """The server at `url`; `resting`: it gets no work for now; `others`: some are healthy."""
        if others:
            if resting and url not in self._away:
                self.tell(f"{busy}; the other servers go on")
                self._away.add(url)
            return
        now = self._now()
        self._since = self._since or now
        waited = now - self._since
        if waited >= self.waits.give_up_s:
            raise SamplerError(
                f"{busy}; gave up after {spell(waited)}. What was answered is kept: the same "
                "command goes on from here (--give-up says how long to wait)"
            )
        heard = self._said if self._said is not None else (0 if busy.lost else self._since)
        if now - heard >= self.waits.say_s:
            self._said = now
            limit = spell(self.waits.give_up_s)
            self.tell(f"{busy}; waiting for it ({spell(waited)} so far, at most {limit})")

    @staticmethod
    def _now() -> float:
        return time.monotonic()
