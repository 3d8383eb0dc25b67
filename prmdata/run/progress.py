"""Progress of long work, on stderr: a live line on a terminal, plain lines elsewhere."""

from __future__ import annotations

import sys
import time
from dataclasses import dataclass, field
from typing import Any

from prmdata.durations import spell
from prmdata.files.paths import is_pipe
from prmdata.sampler.storage.stored import Spending

PLAIN_SECONDS = 10.0
LIVE_SECONDS = 0.2


@dataclass(slots=True)
class Progress:
    """Counts, and shows them where `show` says so."""

    stage: str
    spending: Spending
    total: int | None = None
    """Items to do, where known."""
    unit: str = "traces"
    """What an item is."""
    show: bool = True
    done: int = 0
    kept: int = 0
    """Items taken over from an earlier run."""
    errors: int = 0
    _started: float = field(default_factory=time.monotonic)
    _shown: float = 0.0
    _live: Any = None

    def __enter__(self) -> Progress:
        if self.show and _is_live():
            from rich.console import Console
            from rich.live import Live

            self._live = Live(console=Console(stderr=True), auto_refresh=False, transient=True)
            self._live.start()
        self._shown = time.monotonic()
        return self

    def __exit__(self, *_: object) -> None:
        if self._live is not None:
            self._live.stop()

    def step(self, items: int, errors: int) -> None:
        self.done += items
        self.errors = errors
        now = time.monotonic()
        pause = LIVE_SECONDS if self._live is not None else PLAIN_SECONDS
        if self.show and now - self._shown >= pause:
            self._shown = now
            if self._live is not None:
                self._live.update(self.line(), refresh=True)
            else:
                say(self.line())

    def line(self) -> str:
        seconds = max(self.seconds, 1e-9)
        parts = [f"{self.stage}: {self.done:,}" + (f"/{self.total:,}" if self.total else "")]
        worked = self.done - self.kept
        parts.append(f"{worked / seconds:,.1f} {self.unit}/s")
        if self.spending.tokens:
            parts.append(f"{self.spending.tokens / seconds:,.0f} tokens/s")
            parts.append(f"{self.spending.tokens:,} tokens")
        if self.spending.served:
            share = self.spending.served / (self.spending.served + self.spending.sampled)
            parts.append(f"{share:.0%} from the store")
        if self.errors:
            parts.append(f"{self.errors:,} failed")
        if self.total and worked > 0 and self.total > self.done:
            parts.append(f"{spell((self.total - self.done) / (worked / seconds))} left")
        return " · ".join(parts)

    @property
    def seconds(self) -> float:
        return time.monotonic() - self._started


def _is_live() -> bool:
    """A terminal of our own: between pipes several stages would draw over one another."""
    return sys.stderr.isatty() and not is_pipe(1)


def say(text: str) -> None:
    """One line of news for the person at the terminal."""
    print(text, file=sys.stderr, flush=True)  # noqa: T201  the one place that does
