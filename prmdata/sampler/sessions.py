"""Which calls belong together: those of one trace, and beyond it those of one problem.

They share the beginning of their prompts, so a sampler with several servers sends them to the one
that has it in its cache. Whoever asks on behalf of a trace says so around its calls:

    with session(problem.id, trace.id):
        await sampler.complete(…)
"""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Iterator
from contextvars import ContextVar
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Session:
    problem: str
    trace: str = ""
    """Empty: the problem as a whole."""

    @property
    def name(self) -> str:
        """What servers and routers are told: nothing can be read out of it."""
        asked = f"{self.problem}\0{self.trace}".encode(errors="surrogatepass")
        return hashlib.blake2b(asked, digest_size=12).hexdigest()


_CURRENT: ContextVar[Session | None] = ContextVar("session", default=None)


@contextlib.contextmanager
def session(problem: str, trace: str = "") -> Iterator[None]:
    """Calls in here belong to this trace."""
    token = _CURRENT.set(Session(problem, trace))
    try:
        yield
    finally:
        _CURRENT.reset(token)


def current() -> Session | None:
    return _CURRENT.get()
