"""How many servers and drivers a run of many traces takes: a discrete-event model.

    python simulate.py --traces 10000000 --servers 1,10,100 --drivers 1,4,16

A trace is a chain of requests, each sent when the one before it has been answered, as a search
sends them. A server works on all its requests at once: a step makes one token of each and takes
`step + token · requests`; prompts that it has not cached cost `prefill` a token. A driver is one
process with one core: each request takes `client` of it. Every driver keeps a window of requests at
each server. The events of `--sample` traces a cell are played, once the start is over; the rest of
the run is that rate, since nothing in the model depends on how many came before.
"""

from __future__ import annotations

import argparse
import heapq
import itertools
import random
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

MARK = "<!-- table -->\n"


@dataclass(frozen=True)
class Costs:
    """Seconds."""

    step_s: float = 1.5e-3
    token_s: float = 146e-6
    prefill_s: float = 50e-6
    client_s: float = 1.03e-3


@dataclass(frozen=True)
class Load:
    requests: int = 6
    """Of a trace, one after another."""
    tokens: float = 50.0
    """Of an answer, on average; exponential, at least one."""
    prompt: int = 300
    cached: float = 0.9
    """Share of the prompt's tokens that the server has in its cache."""
    traces_in_flight: int = 2048
    """By each driver."""
    window: int = 256
    """Requests of one driver at one server."""


@dataclass
class Server:
    """Shares itself equally among what it works on: all finish in the order of `due`."""

    costs: Costs
    clock: float = 0.0
    """Tokens that each sequence present since the start would have been given."""
    since: float = 0.0
    due: list[tuple[float, int, int]] = field(default_factory=list)
    """Clock at the end, request, driver."""
    version: int = 0

    def rate(self) -> float:
        return 1.0 / (self.costs.step_s + self.costs.token_s * len(self.due))

    def advance(self, now: float) -> None:
        if self.due:
            self.clock += (now - self.since) * self.rate()
        self.since = now

    def next_end(self) -> float:
        return self.since + max(0.0, self.due[0][0] - self.clock) / self.rate()


@dataclass(frozen=True)
class Found:
    requests_s: float
    driver_busy: float
    """Share of the drivers' time that they work."""
    batch: float
    """Requests that a server works on, on average."""

    def hours(self, traces: int, load: Load) -> float:
        return traces * load.requests / self.requests_s / 3600


def simulate(
    servers: int, drivers: int, costs: Costs, load: Load, sample: int, seed: int = 0
) -> Found:
    """Play `sample` traces, of which the first third is not counted."""
    draw, order = random.Random(seed), itertools.count()
    engines = [Server(costs) for _ in range(servers)]
    events: list[tuple[float, int, str, int, int]] = []
    left = {}  # trace → its requests to come
    homes = {}  # trace → its server
    outstanding = [[0] * servers for _ in range(drivers)]
    waiting = [[deque() for _ in range(servers)] for _ in range(drivers)]
    free_at = [0.0] * drivers
    busy = [0.0] * drivers
    started = done = 0
    now = warm_at = 0.0
    warm, area, requests = sample // 3, 0.0, 0
    busy_before = 0.0

    def at(time: float, kind: str, who: int, what: int) -> None:
        heapq.heappush(events, (time, next(order), kind, who, what))

    def works(driver: int, kind: str, what: int, share: float) -> None:
        """The driver's core does this next; what comes of it happens when it is done."""
        begin = max(now, free_at[driver])
        free_at[driver] = begin + costs.client_s * share
        busy[driver] += costs.client_s * share
        at(free_at[driver], kind, driver, what)

    def begin(driver: int) -> None:
        nonlocal started
        if started >= sample:
            return
        trace, started = started, started + 1
        left[trace] = load.requests
        homes[trace] = trace % servers
        works(driver, "send", trace, 0.5)

    def wake(number: int) -> None:
        engine = engines[number]
        engine.version += 1
        if engine.due:
            at(engine.next_end(), "end", number, engine.version)

    def give(driver: int, number: int, trace: int) -> None:
        engine = engines[number]
        engine.advance(now)
        outstanding[driver][number] += 1
        tokens = max(1.0, draw.expovariate(1 / load.tokens))
        fresh = load.prompt * (1 - load.cached) * costs.prefill_s
        work = tokens + fresh / (costs.step_s + costs.token_s * (len(engine.due) + 1))
        heapq.heappush(engine.due, (engine.clock + work, trace, driver))
        wake(number)

    for driver in range(drivers):
        for _ in range(min(load.traces_in_flight, -(-sample // drivers))):
            begin(driver)
    last = 0.0
    while events:
        now, _, kind, who, what = heapq.heappop(events)
        if done >= warm:
            area += (now - last) * sum(len(engine.due) for engine in engines)
        last = now
        if kind == "send":
            number = homes[what]
            if outstanding[who][number] < load.window:
                give(who, number, what)
            else:
                waiting[who][number].append(what)
        elif kind == "end":
            engine = engines[who]
            if what != engine.version:
                continue
            engine.advance(now)
            _, trace, driver = heapq.heappop(engine.due)
            wake(who)
            outstanding[driver][who] -= 1
            if waiting[driver][who]:
                give(driver, who, waiting[driver][who].popleft())
            works(driver, "answer", trace, 0.5)
        else:
            requests += done >= warm
            left[what] -= 1
            if left[what]:
                works(who, "send", what, 0.5)
                continue
            del left[what], homes[what]
            done += 1
            if done == warm:
                warm_at, busy_before = now, sum(busy)
            begin(who)
            if started >= sample:  # from here on it only runs dry
                break
    seconds = now - warm_at
    return Found(
        requests / seconds,
        min(1.0, (sum(busy) - busy_before) / seconds / drivers),
        area / seconds / servers,
    )


def rows(
    counts: Iterable[int], drivers: list[int], costs: Costs, load: Load, asked: argparse.Namespace
) -> Iterator[str]:
    yield "| servers | drivers | requests/s | drivers busy | requests in one | hours for the run |"
    yield "|---|---|---|---|---|---|"
    for count in counts:
        for number in drivers:
            sample = max(asked.sample, 3 * number * load.traces_in_flight)
            found = simulate(count, number, costs, load, sample, asked.seed)
            hours = found.hours(asked.traces, load)
            yield (
                f"| {count} | {number} | {found.requests_s:,.0f} | {found.driver_busy:.0%} | "
                f"{found.batch:,.0f} | {hours:,.1f} |"
            )


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--traces", type=int, default=10_000_000)
    parser.add_argument("--servers", default="1,10,100")
    parser.add_argument("--drivers", default="1,4,16")
    parser.add_argument("--sample", type=int, default=8000, help="traces that are played, a cell")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--into", help="a file whose table is replaced")
    for name, value in {**vars(Costs()), **vars(Load())}.items():
        parser.add_argument(f"--{name.replace('_', '-')}", type=type(value), default=value)
    asked = parser.parse_args()
    costs = Costs(**{name: getattr(asked, name) for name in vars(Costs())})
    load = Load(**{name: getattr(asked, name) for name in vars(Load())})
    servers, drivers = (
        [int(word) for word in text.split(",")] for text in (asked.servers, asked.drivers)
    )
    table = list(rows(servers, drivers, costs, load, asked))
    print("\n".join(table))
    if asked.into:
        path = Path(asked.into)
        before, _, after = path.read_text().partition(MARK)
        rest = after[after.index("\n\n") :] if "\n\n" in after else "\n"
        path.write_text(f"{before}{MARK}" + "\n".join(table) + rest)


if __name__ == "__main__":
    main()
