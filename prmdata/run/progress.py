"""Progress of long work, on stderr: a live line on a terminal, plain lines elsewhere."""

from __future__ import annotations

import sys
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from prmdata import terminal
from prmdata.durations import spell
from prmdata.files.paths import is_pipe
from prmdata.sampler.storage.stored import Spending
from prmdata.terminal import say

if TYPE_CHECKING:
    from rich.live import Live

FIRST_SECONDS = 1.0
PLAIN_SECONDS = 10.0
VERBOSE_SECONDS = 1.0
LIVE_SECONDS = 0.2


@dataclass(slots=True)
class Progress:
    """Counts, and shows them where `show` says so."""

    stage: str
    spending: Spending
    total: int | None = None
    """Units to do, where known."""
    unit: str = "traces"
    show: bool = True
    verbose: bool = False
    """Plain lines every second, and one for each failed item."""
    done: int = 0
    resumed: int = 0
    """Units taken over from an earlier run."""
    errors: int = 0
    _started: float = field(default_factory=time.monotonic)
    _next: float = 0.0
    _live: Live | None = None

    def __enter__(self) -> Progress:
        self._next = self._started + FIRST_SECONDS
        if self.show and not self.verbose and _has_own_terminal():
            from rich.live import Live

            self._live = Live(
                console=terminal.console(stderr=True), auto_refresh=False, transient=True
            )
            self._live.start()
            self._next = self._started
        return self

    def __exit__(self, *_: object) -> None:
        if self._live is not None:
            self._live.stop()
            self._live = None

    @property
    def pause(self) -> float:
        """How often `refresh` is worth calling, in seconds."""
        return LIVE_SECONDS if self._live is not None else VERBOSE_SECONDS

    def add(self, units: int, *, resumed: bool = False) -> None:
        self.done += units
        self.resumed += units if resumed else 0
        self.refresh()

    def failed(self, item: str, reason: str) -> None:
        self.errors += 1
        if self.verbose and self.show:
            self.announce(f"{item} failed: {reason}")

    def announce(self, text: str) -> None:
        """A line that stays, above the live one."""
        if self._live is not None:
            self._live.console.print(f"{self.stage}: {text}")
        else:
            say(f"{self.stage}: {text}")

    def refresh(self) -> None:
        now = time.monotonic()
        if not self.show or now < self._next:
            return
        if self._live is not None:
            self._next = now + LIVE_SECONDS
            self._live.update(self.line(), refresh=True)
        else:
            self._next = now + (VERBOSE_SECONDS if self.verbose else PLAIN_SECONDS)
            say(self.line())

    def line(self) -> str:
        seconds = max(time.monotonic() - self._started, 1e-9)
        spending, worked = self.spending, self.done - self.resumed
        of = f"/{self.total:,}" if self.total else ""
        parts = [f"{self.stage}: {self.done:,}{of} {self.unit}"]
        if worked:
            parts.append(rate(worked / seconds, self.unit))
        if spending.tokens:
            parts.append(f"{spending.tokens / seconds:,.0f} tokens/s")
            parts.append(f"{spending.tokens:,} tokens")
        if spending.scored:
            parts.append(f"{spending.scored:,} tokens read")
        if spending.served:
            share = spending.served / (spending.served + spending.sampled)
            parts.append(f"{share:.0%} from the store")
        if self.errors:
            parts.append(f"{self.errors:,} failed")
        if spending.in_flight:
            parts.append(f"waiting for {spending.in_flight:,} completions")
        elif not self.done:
            parts.append("waiting for the first to finish")
        if self.total and worked and self.total > self.done:
            parts.append(f"{spell((self.total - self.done) / (worked / seconds))} left")
        elif not worked:
            parts.append(spell(seconds))
        return " · ".join(parts)


def rate(per_second: float, unit: str) -> str:
    """`2.5 traces/s`, `3.1 traces/min`, `4.0 traces/h`: in whatever gives a number to read."""
    for seconds, name in ((1, "s"), (60, "min")):
        if per_second * seconds >= 1:
            return f"{per_second * seconds:,.1f} {unit}/{name}"
    return f"{per_second * 3600:,.1f} {unit}/h"


def _has_own_terminal() -> bool:
    """The stages of a pipe share one: each writes whole lines, so that none is drawn over."""
    return sys.stderr.isatty() and not is_pipe(0) and not is_pipe(1)
