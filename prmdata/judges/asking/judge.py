"""A model that is asked for its judgement: through the store, with seeds that follow from the
words."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from prmdata.records import Cost, Message
from prmdata.sampler.protocol import Completion, Sampler, Sampling
from prmdata.sampler.seeds import request_seed

T = TypeVar("T")
RETRIES = 2
CHARACTERS = 4
"""Of a token, about: prompts are counted so."""
SCHEMA = "response_format"
"""The template argument with the shape of an answer; servers that offer structured output keep to
it, every other template passes it over."""


@dataclass(slots=True)
class Judge:
    """One for each item: it counts what the item has cost."""

    sampler: Sampler
    seed: int = 0
    template_args: Mapping[str, Any] = field(default_factory=dict)
    cost: Cost = Cost()

    async def ask(
        self,
        messages: Sequence[Message],
        n: int,
        sampling: Sampling,
        first: int = 0,
        schema: Mapping[str, object] | None = None,
    ) -> list[Completion]:
        """Samples `first` to `first + n - 1` of what it says to these messages."""
        prompt = self.prompt(messages, schema)
        base = request_seed(self.seed, self.sampler.fingerprint, prompt, sampling, "judge")
        found = await self.sampler.complete(prompt, n, sampling, base + first)
        self.cost += Cost(
            tokens=sum(done.tokens for done in found),
            calls=n,
            prompt_tokens=n * (len(prompt) // CHARACTERS + 1),
            cut=sum(done.finish == "length" for done in found),
        )
        return found

    def prompt(
        self, messages: Sequence[Message], schema: Mapping[str, object] | None = None
    ) -> str:
        arguments = {**self.template_args, **({} if schema is None else {SCHEMA: dict(schema)})}
        return self.sampler.template.open_turn(messages, "chat", arguments)

    async def read(
        self,
        messages: Sequence[Message],
        n: int,
        sampling: Sampling,
        parse: Callable[[str], T | None],
        schema: Mapping[str, object] | None = None,
    ) -> list[T]:
        """Up to n answers that could be read. One that could not is asked for again, twice at most,
        by the next sample number; then it is missing, and counted as unparsed."""
        said: list[T] = []
        first, missing = 0, n
        for _ in range(1 + RETRIES):
            found = await self.ask(messages, missing, sampling, first, schema)
            first += missing
            parsed = (parse(done.text) for done in found)
            said += [answer for answer in parsed if answer is not None]
            missing = n - len(said)
            if not missing:
                break
        self.cost += Cost(unparsed=missing)
        return said
