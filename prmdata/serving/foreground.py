"""The command `serve`: start and wait, in the foreground or handed over to the background."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator, Sequence

from prmdata import terminal
from prmdata.errors import SamplerError, UsageError
from prmdata.run.progress import PLAIN_SECONDS
from prmdata.sampler.endpoint.server import KEY
from prmdata.serving.plan import VLLM_KEY, Plan
from prmdata.serving.record import recorded
from prmdata.serving.server import POLL_S, Server, stop
from prmdata.terminal import say


def serve(
    plans: Sequence[Plan], *, detach: bool, quiet: bool, ready: Callable[[str], None]
) -> None:
    """`ready` is handed the sampler spec as soon as all servers answer."""
    for left in (left for plan in plans for left in recorded(plan.port)):
        if left.state == "gone":
            stop(left)  # what it started may have outlived it
        else:
            raise UsageError(f"{left.model} is {left.state} there already ({left.url})")
    with _ended_like_an_interrupt(), contextlib.ExitStack() as running:
        servers = []
        for plan in plans:
            servers.append(Server.start(plan))
            running.callback(servers[-1].stop)
            if not quiet:
                _announce(plan, servers[-1])
        with _progress(plans[0].model, quiet) as tell:
            seconds = max(server.wait_ready(tell) for server in servers)
        if not quiet:
            say(_told(plans, seconds, detach))
        ready(",".join(plan.url for plan in plans))
        if detach:
            running.pop_all()
            return
        while True:
            for server in servers:
                server.check()
            time.sleep(POLL_S)


def _announce(plan: Plan, server: Server) -> None:
    where = "" if plan.devices is None else f" on GPU {plan.devices}"
    say(f"serve: starting {plan.model}{where}; its log: {server.record.log}")
    if not plan.local and plan.key is None:
        say(f"serve: open to every machine in reach; {VLLM_KEY} sets a key")


def _told(plans: Sequence[Plan], seconds: float, detach: bool) -> str:
    first, many = plans[0], len(plans) > 1
    end = "prmdata serve --stop ends " if detach else "Ctrl-C ends "
    subject = f"{len(plans)} servers of {first.model} answer" if many else f"{first.model} answers"
    lines = [
        f"serve: {subject} after {seconds:.0f} s; {end}{'them' if many else 'it'}. To use "
        f"{'them' if many else 'it'}:",
        f"  export PRMDATA_SAMPLER={','.join(plan.url for plan in plans)}",
    ]
    if first.url_here != first.url:
        here = ",".join(plan.url_here for plan in plans)
        lines[-1] += f"  # on this machine also {here}"
    if first.key not in (None, os.environ.get(KEY)):
        lines.append(f"  export {KEY}=…  # the key it was started with")
    return "\n".join(lines)


@contextlib.contextmanager
def _ended_like_an_interrupt() -> Iterator[None]:
    """A terminal that closes, or a `kill`, must not leave the server behind."""

    def leave(*_: object) -> None:
        raise KeyboardInterrupt

    numbers = (signal.SIGTERM, signal.SIGHUP)
    before = [signal.signal(number, leave) for number in numbers]
    try:
        yield
    finally:
        for number, handler in zip(numbers, before, strict=True):
            signal.signal(number, handler)


@contextlib.contextmanager
def _progress(model: str, quiet: bool) -> Iterator[Callable[[float, str], None]]:
    if quiet:
        yield lambda seconds, line: None
    elif sys.stderr.isatty():
        from rich.text import Text

        with terminal.console(stderr=True).status("") as status:
            yield lambda seconds, line: status.update(Text(_line(model, seconds, line)))
    else:
        yield _Plain(model)


class _Plain:
    def __init__(self, model: str) -> None:
        self._model = model
        self._said = time.monotonic()

    def __call__(self, seconds: float, line: str) -> None:
        if time.monotonic() - self._said >= PLAIN_SECONDS:
            self._said = time.monotonic()
            say(_line(self._model, seconds, line))


def _line(model: str, seconds: float, line: str) -> str:
    return f"serve: {model} · {seconds:.0f} s · {line}"


def stop_all(port: int | None, quiet: bool) -> None:
    found = [(record, stop(record)) for record in recorded(port)]
    running = [record for record, lived in found if lived]
    if not running:
        raise SamplerError("no server of this folder is running; there is nothing to stop")
    for record in running:
        if not quiet:
            say(f"serve: {record.model} at {record.url} is stopped")


def states(port: int | None) -> list[str]:
    """A line a server; one that is gone is told about once."""
    lines = []
    for record in recorded(port):
        state = record.state
        if state == "gone":
            record.forget()
        lines.append(f"{record.url}  {record.model}  {state}  pid {record.pid}  {record.log}")
    if not lines:
        raise SamplerError("no server was started from this folder; try prmdata serve MODEL")
    return lines
