"""What `estimate` and `label` share: they differ in the verb and in which methods it has."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from prmdata.labellers.contract import Verb


@dataclass(frozen=True)
class Words:
    """The words of an `estimate` or `label` command line."""

    verb: Verb
    source: str
    output: str
    method: str
    settings: list[str] | None
    sampler: str
    seed: int
    temperature: float | None
    max_tokens: int | None
    cut: str
    limit: int | None
    shard: str | None
    engine_arg: list[str] | None
    grader: str
    dry_run: bool
    tokens_per_second: float | None
    concurrency: int
    max_errors: str
    give_up: str
    max_tokens_total: int | None
    store: str
    summary: str | None
    overwrite: bool
    quiet: bool


def run(words: Words) -> None:
    import asyncio

    from prmdata import labellers
    from prmdata.cli.shared import running
    from prmdata.errors import unknown
    from prmdata.sampler.rollouts import RolloutSettings
    from prmdata.settings import pairs
    from prmdata.stages.generate import parse_shard
    from prmdata.stages.label import Labelling, forecast, run_labelling

    if words.cut not in ("miss", "drop"):
        raise unknown("way to count cut rollouts", words.cut, ("miss", "drop"))
    asked = Labelling(
        verb=words.verb,
        name=words.method,
        method=labellers.method(words.method, words.verb, pairs(words.settings or (), "--set")),
        source=words.source,
        limit=words.limit,
        shard=parse_shard(words.shard) if words.shard else None,
        sampler=words.sampler,
        engine=pairs(words.engine_arg or (), "--engine-arg"),
        grader=words.grader,
        rollouts=RolloutSettings(
            seed=words.seed,
            temperature=words.temperature,
            max_tokens=words.max_tokens,
            cut="drop" if words.cut == "drop" else "miss",
        ),
    )
    if words.dry_run:
        traces, cost = forecast(asked)
        running.say_forecast(
            words.verb, traces, cost.rollouts, cost.tokens, words.tokens_per_second, "about"
        )
        return
    if asked.samples:
        running.refuse_engine_in_pipe(words.sampler, words.source, words.output)
    run_options = running.run_options(
        words.concurrency,
        words.max_errors,
        words.max_tokens_total,
        words.store,
        words.quiet,
        words.give_up,
    )
    into = running.open_output(
        words.output,
        words.verb,
        asked.settings(),
        asked.inputs(),
        overwrite=words.overwrite,
        quiet=words.quiet,
    )
    if into is not None:
        try:
            made = asyncio.run(run_labelling(asked, into, run_options))
        finally:
            into.close()
        running.close(made, words.output, words.summary, words.quiet)
