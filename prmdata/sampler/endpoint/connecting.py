"""Gets to know servers: which model they have, whose tokenizer, and what they can do."""

from __future__ import annotations

import asyncio
import functools
import json
import re
import time
from collections.abc import Iterator, Mapping, Sequence, Sized
from pathlib import Path

from prmdata.errors import ItemError, SamplerError, UsageError, unknown
from prmdata.sampler.endpoint.addresses import Address
from prmdata.sampler.endpoint.offers import Offers
from prmdata.sampler.endpoint.patience import Busy, Waits
from prmdata.sampler.endpoint.pool import Pool, Served
from prmdata.sampler.endpoint.probing import probed
from prmdata.sampler.endpoint.sampler import Endpoint
from prmdata.sampler.endpoint.server import Missing, Model, Server
from prmdata.sampler.endpoint.window import Window
from prmdata.sampler.models.arguments import whole_number
from prmdata.sampler.models.boundary import exact
from prmdata.sampler.models.fingerprint import BY_NAME, folder_fingerprint
from prmdata.sampler.models.folders import tokenizer_folder
from prmdata.sampler.models.rendering import read_template
from prmdata.sampler.protocol import Sampler

OPTIONS = ("model", "tokenizer", "tag", "context", "in_flight", "timeout_s")
UNKNOWN_CONTEXT = 1 << 30


async def open_endpoint(
    urls: str,
    options: Mapping[str, str],
    *,
    spec: str,  # noqa: ARG001  every opener takes it
) -> Sampler:
    """Connect, ask which model is served and what the servers can do."""
    servers = servers_at(urls, options)
    try:
        endpoint, cards = await described(servers, options)
        found = await _examined(endpoint, cards)
        endpoint.offers = functools.reduce(Offers.__and__, found)
        if len({offers.begins for offers in found}) > 1:
            raise SamplerError(f"{endpoint.spec}: only some put the first token before a prompt")
        endpoint.pool.examine = functools.partial(_examine_late, endpoint)
        endpoint.notes = tuple(notes(endpoint, options))
    except BaseException as error:
        for server in servers:
            await server.client.close()
        if isinstance(error, Busy):
            raise SamplerError(f"{error}; is the server running?") from None
        raise
    sampler: Sampler = endpoint
    return sampler


def servers_at(urls: str, options: Mapping[str, str]) -> list[Server]:
    for name in options:
        if name not in OPTIONS:
            raise unknown("engine argument", name, OPTIONS)
    in_flight = whole_number(options, "in_flight", 256)
    timeout_s = whole_number(options, "timeout_s", 3600)
    return [
        Server(at.url, at.client(in_flight), Window(most=in_flight), timeout_s=timeout_s)
        for at in map(Address.read, urls.split(","))
    ]


async def described(
    servers: list[Server], options: Mapping[str, str]
) -> tuple[Endpoint, dict[Server, list[Model]]]:
    """Which model they serve; what they can do is found out later."""
    cards = await _cards(servers)
    known = [server for server in servers if server in cards]
    card, base = _chosen(cards[known[0]], options, known[0].url)
    spec = ",".join(server.url for server in servers)
    return _described(spec, servers, card, base, options), cards


async def _cards(servers: Sequence[Server]) -> dict[Server, list[Model]]:
    """What each of them serves. Some may be away; they are asked when they are back."""
    answers = await asyncio.gather(*(s.models() for s in servers), return_exceptions=True)
    cards: dict[Server, list[Model]] = {}
    faults: list[BaseException] = []
    for server, answer in zip(servers, answers, strict=True):
        if isinstance(answer, Missing):
            hint = "" if server.url.endswith("/v1") else f"; is it {server.url}/v1?"
            faults.append(SamplerError(f"{answer}{hint}"))
        elif isinstance(answer, BaseException):
            faults.append(answer)
        else:
            cards[server] = answer
    _one_left(cards, faults)
    return cards


async def _examined(endpoint: Endpoint, cards: Mapping[Server, list[Model]]) -> list[Offers]:
    """What each server can do. One that fails here rests; one with another model is an error."""
    for server, models in cards.items():
        endpoint.pool.recognise(server, models)
    found = await asyncio.gather(*(probed(endpoint, s) for s in cards), return_exceptions=True)
    offers: list[Offers] = []
    faults: list[BaseException] = []
    for server, result in zip(cards, found, strict=True):
        if isinstance(result, Offers):
            server.offers, server.known = result, True
            offers.append(result)
        else:
            server.window.failed(Busy(str(result), lost=True), 0, Waits(), time.monotonic())
            faults.append(result)
    _one_left(offers, faults)
    endpoint.away = [str(fault) for fault in faults]
    return offers


async def _examine_late(endpoint: Endpoint, server: Server) -> None:
    """A server that was away at the start must do what the others were found to do."""
    try:
        offers = await probed(endpoint, server)
    except (ItemError, SamplerError) as error:
        raise Busy(str(error), lost=True) from None
    if offers & endpoint.offers != endpoint.offers or offers.begins != endpoint.offers.begins:
        raise SamplerError(f"{server.url} cannot do what the other servers can: {offers}")
    server.offers = offers


def _one_left(found: Sized, faults: Sequence[BaseException]) -> None:
    """Without any server the first fault is told; what is not a server's fault is told at once."""
    for fault in faults:
        if not isinstance(fault, Busy | SamplerError):
            raise fault
    if not found:
        raise faults[0]


def _chosen(cards: Sequence[Model], options: Mapping[str, str], url: str) -> tuple[Model, Model]:
    """The card of the model, and that of the model which it adapts: else the same again."""
    names = [card["id"] for card in cards]
    wanted = options.get("model", names[0] if len(names) == 1 else "")
    card = next((card for card in cards if card["id"] == wanted), None)
    if card is None:
        raise UsageError(
            f"{url} serves {', '.join(names) or 'no model'}; name one with --engine-arg model=…"
        )
    return card, next((other for other in cards if other["id"] == card.get("parent")), card)


def _described(
    spec: str, servers: list[Server], card: Model, base: Model, options: Mapping[str, str]
) -> Endpoint:
    folder = _tokenizer_place(card, base, options, spec)
    context = card.get("max_model_len") or base.get("max_model_len")
    return Endpoint(
        spec=spec,
        pool=Pool(servers, Served.of(card), tagged="tag" in options),
        fingerprint=_fingerprint(card, folder, options),
        template=read_template(folder),
        context=whole_number(options, "context", context or _longest(folder)),
        tokenizer=_tokenizer(folder / "tokenizer.json"),
    )


def _tokenizer_place(card: Model, base: Model, options: Mapping[str, str], spec: str) -> Path:
    """The folder of its tokenizer: an adapter's is that of the model it is for."""
    asked = options.get("tokenizer")
    names = [asked] if asked else [card.get("root"), card["id"], base.get("root"), base["id"]]
    reasons = []
    for name in dict.fromkeys(filter(None, names)):
        try:
            return tokenizer_folder(name, spec)
        except SamplerError as error:
            reasons.append(error)
    raise reasons[0]


def _fingerprint(card: Model, folder: Path, options: Mapping[str, str]) -> str:
    """The weights, where they are in a folder here; else what the model is called."""
    root, tag = card.get("root") or "", options.get("tag")
    if tag is None and folder == Path(root) and any(folder.glob("*.safetensors")):
        return f"{folder_fingerprint(folder)}-served"
    named = folder_fingerprint(folder, card["id"], root, tag or "", weights=False)
    label = re.sub(r"[^\w.-]+", "_", tag or card["id"])[:40]
    return f"{BY_NAME}{named}-{label}"


def _longest(folder: Path) -> int:
    """What the model's own configuration says, where the server says nothing."""
    try:
        config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return UNKNOWN_CONTEXT
    longest = config.get("max_position_embeddings") if isinstance(config, dict) else None
    return longest if isinstance(longest, int) and longest > 0 else UNKNOWN_CONTEXT


def _tokenizer(path: Path) -> object:
    if not path.is_file():
        return None
    from tokenizers import Tokenizer

    return exact(Tokenizer.from_file(str(path)))


def notes(endpoint: Endpoint, options: Mapping[str, str]) -> Iterator[str]:
    name = endpoint.pool.served.name
    for fault in endpoint.away:
        yield f"{fault}; the other servers go on"
    if not endpoint.offers.seeds:
        yield (
            f"{endpoint.spec} does not keep to seeds: its completions can be repeated from the "
            "store alone"
        )
    if not endpoint.offers.more:
        yield (
            f"{endpoint.spec} does not accept top_k, min_p or penalties, so its own defaults apply "
            "(vLLM's server ignores the model's with --generation-config vllm)"
        )
    if endpoint.fingerprint.startswith(BY_NAME) and "tag" not in options:
        yield (
            f"the weights of {name} cannot be seen from here: other weights served under this name "
            "would be taken for the same; name these with --engine-arg tag=…"
        )
