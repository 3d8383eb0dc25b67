"""Gets to know servers: which model they have, whose tokenizer, and what they can do."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

from prmdata.errors import ItemError, SamplerError, UsageError, unknown
from prmdata.sampler.balance import Balance, Window
from prmdata.sampler.endpoint import Endpoint
from prmdata.sampler.fingerprint import UNSEEN, folder_fingerprint
from prmdata.sampler.folders import tokenizer_folder
from prmdata.sampler.offers import Offers
from prmdata.sampler.patience import Busy
from prmdata.sampler.protocol import Sampler, Sampling
from prmdata.sampler.rendering import read_template
from prmdata.sampler.server import KEYS, Server

OPTIONS = ("model", "tokenizer", "tag", "in_flight", "timeout_s")


async def open_endpoint(urls: str, options: Mapping[str, str], *, spec: str) -> Sampler:
    """Connect, ask which model is served and what the server can do."""
    for name in options:
        if name not in OPTIONS:
            raise unknown("engine argument", name, OPTIONS)
    key = next((os.environ[name] for name in KEYS if os.environ.get(name)), None)
    in_flight = _number(options, "in_flight", 256)
    servers = [
        Server(
            url.strip().rstrip("/"),
            _client(url, key, in_flight, _number(options, "timeout_s", 600)),
            Window(most=in_flight),
        )
        for url in urls.split(",")
    ]
    try:
        endpoint = await _described(spec, servers, options)
        endpoint.offers = await probed(endpoint)
        endpoint.notes = tuple(_notes(endpoint))
    except BaseException as error:
        for server in servers:
            await server.client.close()
        if isinstance(error, Busy):
            raise SamplerError(f"{error}; is the server running?") from None
        raise
    sampler: Sampler = endpoint
    return sampler


def _notes(endpoint: Endpoint) -> Iterator[str]:
    if not endpoint.offers.seeds:
        yield (
            f"{endpoint.spec} does not keep to seeds: what it draws is kept in the store, and "
            "cannot be drawn again without it"
        )
    if endpoint.fingerprint.endswith(UNSEEN):
        yield (
            f"the weights of {endpoint.model} cannot be seen from here: other ones served under "
            "this name would be taken for the same; name them with --engine-arg tag=…"
        )


def _client(url: str, key: str | None, in_flight: int, timeout_s: float) -> Any:
    """aiohttp's, which takes a twentieth of httpx's processor time with hundreds in flight."""
    import aiohttp

    return aiohttp.ClientSession(
        headers={"Authorization": f"Bearer {key}"} if key else {},
        timeout=aiohttp.ClientTimeout(total=None, sock_connect=10, sock_read=timeout_s),
        # idle connections end before the server's side of them does, after 5 s in vLLM's
        connector=aiohttp.TCPConnector(limit=in_flight, keepalive_timeout=4),
        proxy=proxy_of(url),
    )


def proxy_of(url: str) -> str | None:
    """The environment's. aiohttp would look it up again for every request, in a thread."""
    address = urlsplit(url)
    if proxy_bypass(address.hostname or ""):
        return None
    return getproxies().get(address.scheme)


async def probed(endpoint: Endpoint) -> Offers:
    """Two samples in a request that names all we know; less where that is refused."""
    server, prompt = endpoint.servers[0], endpoint.template.bos + "1"
    sampling, seed = Sampling(max_tokens=12), 1 << 20

    async def texts(n: int, seed: int) -> list[dict[str, Any]]:
        answer = await server.post("/completions", endpoint.body(prompt, n, sampling, seed))
        return sorted(answer.get("choices") or [], key=lambda choice: choice.get("index", 0))

    endpoint.offers = Offers(many=True, token_ids=True)
    try:
        two = await texts(2, seed)
    except ItemError:  # it knows the fields of the first such API and no others
        endpoint.offers = Offers(raw=False)
        try:
            two = await texts(1, seed)
        except ItemError as error:
            raise SamplerError(
                f"{endpoint.spec} does not continue a text: {error}. The completions API is "
                "needed (/v1/completions): by chat alone a prefix cannot be taken up where it ends"
            ) from None
    again = (await texts(1, seed) or [{}])[0]
    second = (await texts(1, seed + 1) or [{}])[0]
    found = replace(endpoint.offers, seeds=bool(two) and two[0].get("text") == again.get("text"))
    return replace(
        found,
        many=len(two) == 2 and two[1].get("text") == second.get("text"),
        token_ids=again.get("token_ids") is not None,
    )


async def _described(spec: str, servers: list[Server], options: Mapping[str, str]) -> Endpoint:
    listed = (await _first_answer(servers)).get("data") or []
    names = [model["id"] for model in listed]
    wanted = options.get("model", names[0] if len(names) == 1 else "")
    if wanted not in names:
        raise UsageError(
            f"{spec} serves {', '.join(names) or 'no model'}; name one with --engine-arg model=…"
        )
    model = next(found for found in listed if found["id"] == wanted)
    root = tokenizer_folder(options.get("tokenizer") or model.get("root") or wanted, spec)
    return Endpoint(
        spec=spec,
        servers=servers,
        model=wanted,
        fingerprint=options.get("tag") or _fingerprint(model, root),
        template=read_template(root),
        context=int(model.get("max_model_len") or 0) or 1 << 30,
        tokenizer=_tokenizer(root / "tokenizer.json"),
        balance=Balance(servers),
    )


def _tokenizer(path: Path) -> Any:
    if not path.is_file():
        return None
    from tokenizers import Tokenizer

    return Tokenizer.from_file(str(path))


async def _first_answer(servers: list[Server]) -> dict[str, Any]:
    """Of several servers one may be away; it is put last."""
    for server in list(servers):
        try:
            return await server.get("/models")
        except Busy as busy:
            last = busy
            servers.append(servers.pop(0))
    raise last


def _fingerprint(model: Mapping[str, Any], root: Path) -> str:
    """A served name is no fingerprint: the folder's content is, where it can be read."""
    if any(root.glob("*.safetensors")):
        return f"{folder_fingerprint(root)}-served"
    known = folder_fingerprint(root, model["id"], model.get("root") or "")
    return f"{known}-served{UNSEEN}"


def _number(options: Mapping[str, str], name: str, default: int) -> int:
    value = options.get(name, str(default))
    if not value.isdecimal() or int(value) == 0:
        raise UsageError(f"--engine-arg {name}={value}: must be a whole number above 0")
    return int(value)
