"""Every method in every world: exactness on wrong traces, calibration, tokens.

python stress.py [WORLD …] --traces 100 --into README.md
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from worlds import WORLDS, World, WorldPolicy, fatal_error, first_error, traces

from prmdata.grading import Grader
from prmdata.labellers import method
from prmdata.records import Trace
from prmdata.run.stage import Resources
from prmdata.sampler.rollouts import Rollouts, RolloutSettings
from prmdata.stages.label import apply
from prmdata.stages.pilot import draw, informed, looks_first

METHODS: dict[str, tuple[str, dict[str, object]]] = {
    "posterior": ("posterior", {"pilot": 60}),
    "bisect, k = 8": ("bisect", {}),
    "bisect, first hit": ("bisect", {"first_hit": True}),
    "bisect, .55 of pass rate": ("bisect", {"pass_rate_share": 0.55}),
    "forward": ("forward", {}),
}
SETTINGS = RolloutSettings(seed=1)


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


async def labelled(
    name: str, settings: dict[str, object], world: World, groups: Sequence[list[Trace]]
) -> list[Trace]:
    """The traces that end wrong, labelled as `prmdata label` would: with a pilot first."""
    how, grader, policy = method(name, "label", settings), Grader(), WorldPolicy(world)
    if looks_first(how):
        resources = Resources(policy, grader)
        pilot = draw(groups, how.pilot, SETTINGS.seed)
        how = await informed(how, pilot, resources, SETTINGS, lambda line: None)
    made = [await apply(how, group, Rollouts(policy, grader, SETTINGS)) for group in groups]
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


def table(worlds: Sequence[World], count: int, seed: int) -> Iterator[str]:
    names = list(METHODS)
    yield (
        "| world | traces | posterior | confidence | ECE | surest half | tokens | "
        + " | ".join(f"{name} (tokens)" for name in names[1:])
        + " |"
    )
    yield "|---" * (6 + len(names)) + "|"
    for world in worlds:
        groups = drawn(world, count, seed)
        fatal = world.correct > 0
        found = []
        for kind, settings in METHODS.values():
            chosen = settings | ({"error": "fatal"} if fatal and kind == "posterior" else {})
            made = asyncio.run(labelled(kind, chosen, world, groups))
            found.append(figures(made, fatal=fatal))
        ours = found[0]
        yield (
            f"| {world.name} | {ours.count} | {ours.exact:.2f} | {ours.confidence:.2f} "
            f"| {ours.error:.2f} | {ours.surest:.2f} | {ours.tokens:,.0f} | "
            + " | ".join(f"{other.exact:.2f} ({other.tokens:,.0f})" for other in found[1:])
            + " |"
        )


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("worlds", nargs="*")
    options.add_argument("--traces", type=int, default=100)
    options.add_argument("--seed", type=int, default=1)
    options.add_argument("--into", type=Path, help="a README to write the table into")
    asked = options.parse_args()
    worlds = [world for world in WORLDS if not asked.worlds or world.name in asked.worlds]
    lines = []
    for line in table(worlds, asked.traces, asked.seed):
        print(line, flush=True)
        lines.append(line)
    if asked.into:
        begin, end = "<!-- table -->", "<!-- end of table -->"
        head, _, rest = asked.into.read_text(encoding="utf-8").partition(begin)
        _, _, tail = rest.partition(end)
        text = "\n".join(lines)
        asked.into.write_text(f"{head}{begin}\n{text}\n{end}{tail}", encoding="utf-8")


if __name__ == "__main__":
    main()
