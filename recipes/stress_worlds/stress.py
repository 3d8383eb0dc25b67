"""Every method in every world: exactness on wrong traces, calibration, tokens.

python stress.py [WORLD …] --traces 150 --into README.md
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from worlds import WORLDS, World, WorldPolicy, fatal_error, first_error, traces

from prmdata.grading import Grader
from prmdata.labellers import method
from prmdata.labellers.belief.policy import Policy
from prmdata.records import Trace
from prmdata.sampler.rollouts import Rollouts, RolloutSettings
from prmdata.stages.label import apply

METHODS: dict[str, tuple[str, dict[str, object]]] = {
    "posterior": ("posterior", {}),
    "bisect k=8": ("bisect", {}),
    "bisect first hit": ("bisect", {"first_hit": True}),
    "bisect .55": ("bisect", {"pass_rate_share": 0.55}),
    "forward": ("forward", {}),
}


@dataclass(frozen=True)
class Figures:
    exact: float
    confidence: float | None
    error: float | None
    """Expected calibration error, ten bins."""
    surest: float | None
    tokens: float
    count: int


def drawn(world: World, count: int, seed: int) -> list[list[Trace]]:
    """Problems with at least so many wrong traces that have a wrong step, or a wrong reference."""
    groups, wrong = [], 0
    for group in traces(world, 40 * count, seed):
        if wrong >= count:
            break
        own = [t for t in group if t.correct is False]
        if own and (len(own) < len(group) or world.samples == 1 or world.rate or world.wrong_gold):
            groups.append(group)
            wrong += len(own)
    return groups


def learned(
    world: World, groups: Sequence[list[Trace]], count: int, settings: dict[str, object]
) -> Policy:
    from prmdata.labellers.belief.fitting import learn

    async def go() -> Policy:
        how, grader, policy = method("posterior", "label", settings), Grader(), WorldPolicy(world)
        seen = []
        for group in groups:
            if len(seen) < count:
                seen.append(
                    await how.observed(
                        group, Rollouts(policy, grader, RolloutSettings(seed=1)), Policy()
                    )
                )
        await grader.close()
        return learn(seen, print if VERBOSE else lambda line: None)

    return asyncio.run(go())


VERBOSE = False


async def labelled(
    name: str, settings: dict[str, object], world: World, groups: Sequence[list[Trace]]
) -> list[Trace]:
    how, grader, policy = method(name, "label", settings), Grader(), WorldPolicy(world)
    made = [
        await apply(how, group, Rollouts(policy, grader, RolloutSettings(seed=1)))
        for group in groups
    ]
    await grader.close()
    return [t for t in itertools.chain(*made) if t.correct is False]


def figures(made: Sequence[Trace], *, fatal: bool = False) -> Figures:
    truth = fatal_error if fatal else first_error
    right = [t.labels is not None and t.labels.first_error == truth(t) for t in made]
    sure = [t.labels.confidence if t.labels else None for t in made]
    tokens = sum(t.labels.cost.tokens for t in made if t.labels) / len(made)
    if any(c is None for c in sure):
        return Figures(sum(right) / len(made), None, None, None, tokens, len(made))
    pairs = sorted(zip(sure, right, strict=True), reverse=True)
    bins: dict[int, list[tuple[float, bool]]] = {}
    for c, hit in pairs:
        bins.setdefault(min(int(c * 10), 9), []).append((c, hit))
    error = sum(abs(sum(c - hit for c, hit in b)) for b in bins.values()) / len(made)
    half = pairs[: len(pairs) // 2]
    return Figures(
        sum(right) / len(made),
        sum(sure) / len(made),
        error,
        sum(h for _, h in half) / len(half),
        tokens,
        len(made),
    )


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("worlds", nargs="*")
    options.add_argument("--traces", type=int, default=150)
    options.add_argument("--seed", type=int, default=0)
    options.add_argument("--only", nargs="*")
    options.add_argument("--set", nargs="*", default=[])
    options.add_argument("--learn", type=int, default=0)
    options.add_argument("--verbose", action="store_true")
    asked = options.parse_args()
    for world in WORLDS:
        if asked.worlds and world.name not in asked.worlds:
            continue
        groups = drawn(world, asked.traces, asked.seed)
        line = []
        for name, (kind, settings) in METHODS.items():
            if asked.only and name not in asked.only:
                continue
            if kind == "posterior":
                settings = {**settings, **dict(pair.split("=", 1) for pair in asked.set)}
            begun = time.perf_counter()
            if kind == "posterior" and asked.learn:
                import msgspec

                global VERBOSE
                VERBOSE = asked.verbose
                found_policy = learned(world, groups, asked.learn, settings)
                Path("/tmp/lab/policy.json").write_bytes(msgspec.json.encode(found_policy))
                settings = {**settings, "policy": "/tmp/lab/policy.json"}
            made = asyncio.run(labelled(kind, settings, world, groups))
            found = figures(made, fatal=world.correct > 0)
            text = f"{name} {found.exact:.3f}"
            if found.confidence is not None:
                text += f"/{found.confidence:.3f} ece {found.error:.3f} half {found.surest:.3f}"
            text += f" @{found.tokens:.0f}"
            if kind == "posterior":
                text += f" {time.perf_counter() - begun:.0f}s"
            line.append(text)
        print(f"{world.name:16} n={found.count} " + " | ".join(line), flush=True)


if __name__ == "__main__":
    main()
