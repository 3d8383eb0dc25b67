"""A served reward model: `prm:http://HOST/v1[,…]`. It reads a text and rates its steps.

vLLM gives a row of numbers for every token (`/pooling`, task `token_classify`), for the separators
alone (pooling type `STEP`, as Qwen2.5-Math-PRM has it), or one for a whole text (`/classify`): then
every prefix is a text of its own. The text is sent as tokens, so that both count the same.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import accumulate
from typing import Any, Literal

from prmdata.errors import ItemError, SamplerError
from prmdata.sampler.endpoint.connecting import described, notes, servers_at
from prmdata.sampler.endpoint.patience import Busy, Tell, Waits
from prmdata.sampler.endpoint.pool import Pool, Request
from prmdata.sampler.endpoint.sampler import BASE_BYTES, MOST_BYTES
from prmdata.sampler.endpoint.server import Missing, Server
from prmdata.sampler.models.fingerprint import RATES
from prmdata.sampler.models.rendering import ChatTemplate
from prmdata.sampler.protocol import (
    Completion,
    Marked,
    Rated,
    Sampler,
    Sampling,
    Scored,
    too_long_to_score,
)

Kind = Literal["tokens", "texts"]
NUMBER_BYTES, MOST_CLASSES = 32, 64
"""Of a number in JSON; an honest answer has no more classes than this."""
ONLY = "is a reward model: it reads steps and writes nothing; use it with estimate --method prm"


async def open_rating(urls: str, options: Mapping[str, str], *, spec: str) -> Sampler:
    servers = servers_at(urls, options)
    try:
        endpoint, cards = await described(servers, options)
        if endpoint.tokenizer is None:
            raise SamplerError(
                f"{spec}: its tokenizer.json is needed to find the tokens of the steps; name a "
                "folder or a hub model that has it with --engine-arg tokenizer=…"
            )
        rating = Rating(
            spec=spec,
            pool=endpoint.pool,
            fingerprint=endpoint.fingerprint + RATES,
            template=endpoint.template,
            context=endpoint.context,
            tokenizer=endpoint.tokenizer,
            notes=tuple(notes(endpoint, options)),
        )
        for server, models in cards.items():
            endpoint.pool.recognise(server, models)
        kinds = {await rating.kind_of(server) for server in cards}
        if len(kinds) > 1:
            raise SamplerError(f"{spec}: some of the servers rate tokens, and others whole texts")
        rating.kind = kinds.pop()
        for server in cards:
            server.known = True
    except BaseException as error:
        for server in servers:
            await server.client.close()
        if isinstance(error, Busy):
            raise SamplerError(f"{error}; is the server running?") from None
        raise
    return rating


@dataclass(eq=False)
class Rating:
    spec: str
    pool: Pool
    fingerprint: str
    template: ChatTemplate
    context: int
    tokenizer: Any
    kind: Kind = "tokens"
    notes: Sequence[str] = ()
    rates: bool = field(default=True, init=False)

    async def rate(self, marked: Marked) -> Rated:
        ids, places = self.tokens(marked)
        if len(ids) > self.context:
            raise ItemError(too_long_to_score(len(ids), self.context))
        if self.kind == "tokens":
            path, inputs = "/pooling", [ids]
        else:
            path, inputs = "/classify", [ids[: place + 1] for place in places]
        count = sum(map(len, inputs))

        def check(answer: dict[str, Any]) -> None:
            for rows, sent in zip(_told(answer, len(inputs)), inputs, strict=True):
                if len(rows) > len(sent) or len({len(row) for row in rows}) > 1:
                    raise ItemError(f"{self.spec} sent ratings that fit no text")
                if not all(row and all(map(math.isfinite, row)) for row in rows):
                    raise ItemError(f"{self.spec} sent a rating that is no number")

        limit = BASE_BYTES + count * MOST_CLASSES * NUMBER_BYTES
        body = self._body(inputs)
        answer = await self.pool.ask(Request(path, body, check, min(limit, MOST_BYTES)))
        told = _told(answer, len(inputs))
        if self.kind == "texts":
            return Rated(tuple(tuple(rows[0]) for rows in told), count)
        return Rated(tuple(map(tuple, self._at(places, told[0], len(ids)))), count)

    def _at(
        self, places: Sequence[int], rows: Sequence[Sequence[float]], tokens: int
    ) -> list[Sequence[float]]:
        """The rows of the marks, among those of all tokens or of the separators."""
        if len(rows) == tokens:
            return [rows[place] for place in places]
        if len(rows) == len(places):
            return list(rows)
        raise ItemError(
            f"{self.spec} gives {len(rows)} ratings of a text of {tokens} tokens and "
            f"{len(places)} steps: it looks for another separator (its step_tag_id), or a step "
            "holds the separator itself; see --set layout and --set separator"
        )

    def tokens(self, marked: Marked) -> tuple[list[int], list[int]]:
        """The text in tokens, and the last one of each marked piece."""
        if marked.apart:
            pieces = [self._encoded(piece).ids for piece in marked.pieces]
            ends = list(accumulate(map(len, pieces)))
            return [i for piece in pieces for i in piece], [ends[m] - 1 for m in marked.marks]
        found = self._encoded("".join(marked.pieces))
        ends = list(accumulate(map(len, marked.pieces)))
        last = [end for _, end in found.offsets]
        return list(found.ids), [bisect_left(last, ends[mark]) for mark in marked.marks]

    def _encoded(self, text: str) -> Any:
        return self.tokenizer.encode(text, add_special_tokens=False)

    def _body(self, inputs: list[list[int]]) -> dict[str, Any]:
        return {"model": self.pool.served.name, "input": inputs, "use_activation": True}

    async def kind_of(self, server: Server) -> Kind:
        """Whether it rates tokens or whole texts; one that does neither is named at once."""
        ids = self._encoded("1 + 2 = 3").ids
        body = self._body([ids])
        try:
            (rows,) = _told(await server.post("/pooling", body, MOST_BYTES), 1)
            if len(rows) == len(ids) or len(rows) != 1:
                return "tokens"
        except (Missing, ItemError, Busy) as error:
            if isinstance(error, Busy) and error.lost and not isinstance(error, Missing):
                raise
        try:
            _told(await server.post("/classify", body, MOST_BYTES), 1)
        except (Missing, ItemError, Busy) as error:
            raise SamplerError(
                f"{server.url} rates neither tokens (/pooling) nor texts (/classify): {error}. "
                "vLLM serves a reward model with --runner pooling; a model that writes its "
                "verdict is read without prm: before the address"
            ) from None
        return "texts"

    def wait_as(self, waits: Waits, tell: Tell) -> None:
        self.pool.patience.waits, self.pool.patience.tell = waits, tell
        for note in self.notes:
            tell(note)

    async def complete(
        self, prefix: str, n: int, sampling: Sampling, seed: int
    ) -> list[Completion]:
        raise SamplerError(f"{self.spec} {ONLY}")

    async def score(self, prefix: str, text: str, top: int = 0) -> Scored:
        raise SamplerError(f"{self.spec} {ONLY}")

    async def close(self) -> None:
        await self.pool.close()


def _told(answer: Mapping[str, Any], texts: int) -> list[list[list[float]]]:
    """For each text its rows of numbers; a text that is rated as a whole has one."""
    found = answer.get("data") or []
    if len(found) != texts:
        raise Busy(f"the server sent {len(found)} ratings where {texts} were asked for")
    return [list(_rows(one)) for one in found]


def _rows(one: Mapping[str, Any]) -> Iterator[list[float]]:
    told = one.get("probs") or one.get("data") or []
    if told and not isinstance(told[0], list):
        yield told
    else:
        yield from told
