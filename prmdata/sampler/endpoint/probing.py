"""What a server can do, found out by asking it for a few tokens."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from typing import Any

from prmdata.errors import ItemError, SamplerError
from prmdata.sampler.endpoint.offers import Offers
from prmdata.sampler.endpoint.patience import Busy
from prmdata.sampler.endpoint.sampler import Endpoint, most_bytes
from prmdata.sampler.endpoint.server import Missing, Server
from prmdata.sampler.protocol import Sampling

SEED = 1 << 30
"""Of the questions that find out what a server can do: as large as those of a run."""
PROBE_S = 600.0
"""For a few tokens: some servers load the model first."""
Ask = Callable[[Offers, int, int], Awaitable[dict[str, Any]]]


async def probed(endpoint: Endpoint, server: Server) -> Offers:
    """Two samples in a request that names all we know; less where that is refused."""
    prompt, sampling = endpoint.template.bos + "1", Sampling(max_tokens=12)

    async def asked(offers: Offers, n: int, seed: int) -> dict[str, Any]:
        body = replace(endpoint, offers=offers).body(prompt, n, sampling, seed)
        limit = most_bytes(prompt, n * body["max_tokens"])
        return await server.post("/completions", body, limit, PROBE_S)

    async def choices(offers: Offers, n: int, seed: int) -> list[Any]:
        found = (await asked(offers, n, seed)).get("choices") or []
        return sorted(found, key=lambda choice: choice.get("index", 0))

    async def text(offers: Offers, seed: int) -> object:
        return next((choice.get("text") for choice in await choices(offers, 1, seed)), None)

    most = Offers(many=True, token_ids=True)
    two: list[Any] = []
    try:
        two = await choices(most, 2, SEED)
        alone = await asked(most, 1, SEED)
    except (ItemError, Busy):  # one completion a request, or the fields of the first such API
        most, alone = await _plainer(endpoint, asked)
    first = next((choice.get("text") for choice in alone.get("choices") or []), None)
    again, second = await text(most, SEED), await text(most, SEED + 1)
    return replace(
        most,
        seeds=first == again,
        many=[choice.get("text") for choice in two] == [first, second],
        token_ids=bool(two) and all(choice.get("token_ids") is not None for choice in two),
        begins=not most.more or _one_more(endpoint, prompt, alone),
    )


async def _plainer(endpoint: Endpoint, asked: Ask) -> tuple[Offers, dict[str, object]]:
    """What a server takes that refused two samples with all fields, and its answer to that."""
    for offers in (Offers(), Offers(more=False, begins=True)):
        try:
            return offers, await asked(offers, 1, SEED)
        except (ItemError, Missing) as error:
            refusal = error
    raise SamplerError(
        f"{endpoint.spec} does not continue a text: {refusal}. The completions API is "
        "needed (/v1/completions): by chat alone a prefix cannot be taken up where it ends"
    )


def _one_more(endpoint: Endpoint, prompt: str, answer: Mapping[str, Any]) -> bool:
    """Whether it counts a token more than there is: its own, before ours."""
    counted = (answer.get("usage") or {}).get("prompt_tokens")
    if counted is None or endpoint.tokenizer is None or not endpoint.template.bos:
        return False
    ours = len(endpoint.tokenizer.encode(prompt, add_special_tokens=False).ids)
    return bool(counted == ours + 1)
