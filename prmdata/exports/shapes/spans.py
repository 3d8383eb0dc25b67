"""A trace in the tokens of the model that will be trained, and which of them each step has.

A token belongs to the step in which it begins. The tokens say the text exactly, or the trace is
left out.
"""

from __future__ import annotations

import functools
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise
from typing import Any, Literal

import msgspec

from prmdata.errors import PrmdataError, SamplerError, UsageError
from prmdata.exports.contract import LeftOut
from prmdata.records import Message, Trace
from prmdata.sampler.models.folders import tokenizer_folder
from prmdata.sampler.models.rendering import ChatTemplate, read_template

Spread = Literal["even", "each", "last"]


@dataclass(frozen=True, slots=True)
class Spans:
    prompt_ids: list[int]
    ids: list[int]
    """Of the completion."""
    steps: list[tuple[int, int]]
    """The first token of each step and the one after its last: together, every token once."""
    across: int
    """Tokens that begin in one step and end in the next."""

    def spread(self, numbers: Sequence[float | None], how: Spread) -> list[float]:
        """A number for each token."""
        made: list[float] = []
        for (start, end), number in zip(self.steps, numbers, strict=True):
            count, number = end - start, number or 0.0
            if how == "last":
                made += [0.0] * (count - 1) + [number]
            else:
                made += [number / count if how == "even" else number] * count
        return made


@dataclass(frozen=True, slots=True)
class Words:
    """A tokenizer and its chat template."""

    tokenizer: Any
    template: ChatTemplate
    end: int | None
    """The token that ends an answer."""

    def spans(self, trace: Trace, messages: Sequence[Message]) -> Spans:
        encoding = self.tokenizer.encode(trace.text, add_special_tokens=False)
        ids = list(encoding.ids)
        self._check(ids, trace.text)
        starts = [start for start, _ in encoding.offsets]
        ends = list(accumulate(len(step.text) for step in trace.steps))
        bounds = [0, *(bisect_left(starts, end) for end in ends)]
        if any(first == last for first, last in pairwise(bounds)):
            raise LeftOut("a step without a token of its own")
        inner = [(bound - 1, end) for bound, end in zip(bounds[1:-1], ends, strict=False)]
        across = sum(encoding.offsets[last][1] > end for last, end in inner)
        if trace.finish == "stop" and self.end is not None:
            ids.append(self.end)
            bounds[-1] += 1
        return Spans(self._prompt(trace, messages), ids, list(pairwise(bounds)), across)

    def _check(self, ids: list[int], text: str) -> None:
        """Lower-casing tokenizers, and those that lack a sign, would train on another text."""
        said = self.tokenizer.decode(ids, skip_special_tokens=False)
        if said != text and said != text.lstrip(" "):  # some take a space at the start for granted
            raise LeftOut("the tokenizer does not give its text back")

    def _prompt(self, trace: Trace, messages: Sequence[Message]) -> list[int]:
        template = trace.origin.template if trace.origin.messages else "chat"
        said = tuple((message["role"], message["content"]) for message in messages)
        arguments = msgspec.json.encode(trace.origin.template_args)
        return list(_prompt_ids(self, template, said, arguments))


@functools.lru_cache(maxsize=16)  # of one problem's traces, all have the same
def _prompt_ids(
    words: Words, template: str, said: tuple[tuple[str, str], ...], arguments: bytes
) -> list[int]:
    messages = [{"role": role, "content": content} for role, content in said]
    try:
        text = words.template.open_turn(messages, template, msgspec.json.decode(arguments))
    except PrmdataError as error:
        raise LeftOut(f"the prompt cannot be rendered: {error}") from None
    return list(words.tokenizer.encode(text, add_special_tokens=False).ids)


@functools.lru_cache(maxsize=4)
def words_of(name: str) -> Words:
    """Of a folder or a hub id."""
    from prmdata.exports.tokens import load

    try:
        folder = tokenizer_folder(name, f"tokenizer={name}")
    except SamplerError as error:
        reason = str(error).partition(";")[0].splitlines()[0]
        raise UsageError(
            f"{reason}; name a folder with tokenizer.json and tokenizer_config.json, or a hub id"
        ) from None
    tokenizer, template = load(str(folder)), read_template(folder)
    return Words(tokenizer, template, tokenizer.token_to_id(template.eos) if template.eos else None)
