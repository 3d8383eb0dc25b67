"""One OpenAI-compatible server over HTTP: a request, and what its answer means."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Required, TypedDict

import msgspec

from prmdata.errors import ItemError, SamplerError
from prmdata.sampler.balance import Window, Windowed
from prmdata.sampler.patience import Busy
from prmdata.settings import Whole

KEYS = ("PRMDATA_API_KEY", "OPENAI_API_KEY")
JSON = {"Content-Type": "application/json"}
FULL = (408, 425, 429, 503, 504)
BUSY = (*FULL, 409, 500, 502)


class LogProbs(TypedDict, total=False):
    token_logprobs: list[float | None] | None
    text_offset: list[int] | None


class Choice(TypedDict, total=False):
    text: Required[str]
    index: int
    finish_reason: str | None
    logprobs: LogProbs | None
    token_ids: list[int] | None


class Usage(TypedDict, total=False):
    completion_tokens: Whole | None


class Model(TypedDict, total=False):
    id: Required[str]
    root: str | None
    max_model_len: Whole | None


class Answer(TypedDict, total=False):
    """What is read of an answer; all else in it is passed over."""

    choices: list[Choice] | None
    usage: Usage | None
    data: list[Model] | None


@dataclass(eq=False)
class Server(Windowed):
    url: str
    client: Any
    window: Window

    async def post(self, path: str, body: Mapping[str, Any]) -> dict[str, Any]:
        return await self._request("POST", path, body)

    async def get(self, path: str) -> dict[str, Any]:
        return await self._request("GET", path)

    async def _request(self, method: str, path: str, body: object = None) -> dict[str, Any]:
        import aiohttp

        data = None if body is None else msgspec.json.encode(body)
        try:
            async with self.client.request(
                method, f"{self.url}{path}", data=data, headers=JSON, allow_redirects=False
            ) as answer:
                return _read(self.url, answer, await answer.read())
        except aiohttp.ClientError as error:
            late = isinstance(error, aiohttp.SocketTimeoutError)
            reason = f"{self.url} does not answer ({type(error).__name__})"
            raise Busy(reason, lost=not late, full=late) from None


def _read(url: str, answer: Any, content: bytes) -> dict[str, Any]:
    status = answer.status
    if status in BUSY:
        said = answer.headers.get("retry-after", "")
        wait_s = float(said) if said.replace(".", "", 1).isdecimal() else None
        raise Busy(f"{url} answered {status}", wait_s, full=status in FULL)
    if status in (401, 403):
        raise SamplerError(f"{url} refuses us ({status}); set {KEYS[0]} to its key")
    if status >= 400:
        raise ItemError(f"{url} refuses the request: {_message(content)} ({status})")
    if status >= 300:
        elsewhere = answer.headers.get("location", "another address")
        raise SamplerError(f"{url} sends us on to {elsewhere}; name that as the sampler")
    try:
        found: dict[str, Any] = msgspec.json.decode(content, type=Answer)
    except msgspec.ValidationError as error:
        raise Busy(f"{url} sent what is no answer of the completions API ({error})") from None
    except msgspec.DecodeError:
        raise Busy(f"{url} sent an answer that breaks off") from None
    return found


def _message(content: bytes) -> str:
    text = content.decode(errors="replace")
    try:
        body = msgspec.json.decode(content)
    except msgspec.DecodeError:
        return text[:300]
    error = body.get("error", body) if isinstance(body, dict) else body
    return str(error.get("message", "") if isinstance(error, dict) else error)[:300]
