"""A small OpenAI-compatible server: the embedded model, or the weightless policy, behind a socket.

    python -m tests.sampler.server abacus [PORT]

It prints its address. `GET /calls` tells every (prompt, seed) whose answer it has handed over;
`POST /faults` makes it misbehave, one request each, from the `after`th answer on; `POST /room`
makes it refuse more than so many requests at a time; `POST /metrics/are` says what `/metrics` does.
"""

from __future__ import annotations

import asyncio
import gzip
import itertools
import json
import os
import sys
from dataclasses import dataclass, field

from tokenizers import Tokenizer

from prmdata.errors import ItemError
from prmdata.sampler import ABACUS_MODEL, Sampler, Sampling, open_sampler
from tests.policy import Policy

DRAWN = itertools.count(1 << 40)
WORDS = Tokenizer.from_file(str(ABACUS_MODEL / "tokenizer.json"))


HEAD = b"HTTP/1.1 200 x\r\n"


async def dripping(writer: asyncio.StreamWriter) -> None:
    """A byte now and then: no single read takes long."""
    writer.write(HEAD + b"Content-Length: 1000000\r\n\r\n")
    while True:
        writer.write(b" ")
        await writer.drain()
        await asyncio.sleep(0.1)


async def endless(writer: asyncio.StreamWriter) -> None:
    writer.write(HEAD + b"\r\n")
    while True:
        writer.write(b" " * (1 << 16))
        await writer.drain()


async def headers(writer: asyncio.StreamWriter) -> None:
    writer.write(HEAD)
    while True:
        writer.write(b"X-More: " + b"y" * 4000 + b"\r\n")
        await writer.drain()


async def early(writer: asyncio.StreamWriter) -> None:
    """Hints before an answer that never comes."""
    while True:
        writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        await writer.drain()
        await asyncio.sleep(0.01)


async def bomb(writer: asyncio.StreamWriter) -> None:
    """A hundred megabytes in a hundred kilobytes."""
    packed = gzip.compress(b" " * (100 << 20), 1)
    writer.write(HEAD + b"Content-Encoding: gzip\r\n")
    writer.write(f"Content-Length: {len(packed)}\r\n\r\n".encode() + packed)
    await writer.drain()


async def noise(writer: asyncio.StreamWriter) -> None:
    writer.write(bytes(range(256)) * 8)
    await writer.drain()


async def silent(writer: asyncio.StreamWriter) -> None:
    await asyncio.sleep(3600)


HOSTILE = {one.__name__: one for one in (dripping, endless, headers, early, bomb, noise, silent)}
"""What a server may send that is no answer."""


@dataclass
class Served:
    sampler: Sampler
    seeds_count_up: bool = True
    manner: str = ""
    """`strict` knows the fields of the first completions API and puts the first token before a
    prompt itself; `begins` does that too, and passes over the fields that it does not know; `chat`
    has no completions; `unseeded` draws anew each time; `single` fails where it is asked for two;
    `hub` serves what is in no folder here, `other` something else, `adapter` one more model."""
    calls: list[tuple[str, int]] = field(default_factory=list)
    faults: list[dict] = field(default_factory=list)
    authorized: list[str | None] = field(default_factory=list)
    sessions: list[str | None] = field(default_factory=list)
    metrics: str | None = None
    metrics_read: int = 0
    room: int = 1 << 30
    under_way: int = 0
    most_under_way: int = 0
    refused: int = 0

    async def serve(self, port: int = 0) -> None:
        server = await asyncio.start_server(self.connected, "127.0.0.1", port, limit=1 << 24)
        port = server.sockets[0].getsockname()[1]
        print(f"http://127.0.0.1:{port}/v1", flush=True)
        async with server:
            await server.serve_forever()

    async def connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while await self.request(reader, writer):
                pass
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    async def request(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        method, path, _ = head.split(" ", 2)
        headers = dict(
            line.lower().split(": ", 1) for line in head.splitlines()[1:] if ": " in line
        )
        body = await reader.readexactly(int(headers.get("content-length", 0)))
        asked = json.loads(body) if body else {}
        if path == "/v1/completions":
            self.authorized.append(headers.get("authorization"))
            self.sessions.append(headers.get("x-session-id"))
        working = asyncio.create_task(self.answer(method, path, asked))
        gone = asyncio.create_task(reader.read(1))
        await asyncio.wait({working, gone}, return_when=asyncio.FIRST_COMPLETED)
        if not working.done():  # the client hung up: as vLLM does, stop working for it
            working.cancel()
            return False
        gone.cancel()
        await asyncio.wait({gone})
        status, more, content = working.result()
        raw = content if isinstance(content, bytes) else json.dumps(content).encode()
        length = len(raw) + (100 if more == "torn" else 0)
        extra = f"{more}\r\n" if ":" in more else ""
        if more in HOSTILE:
            await HOSTILE[more](writer)
            return False
        writer.write(
            f"HTTP/1.1 {status} x\r\nContent-Length: {length}\r\n{extra}\r\n".encode() + raw
        )
        await writer.drain()
        if path == "/v1/completions" and status == 200 and more == "" and isinstance(content, dict):
            step = 1 if self.seeds_count_up else 1000
            served = enumerate(content["choices"])
            self.calls += [(asked["prompt"], asked["seed"] + i * step) for i, _ in served]
        return more != "torn"

    async def answer(self, method: str, path: str, asked: dict) -> tuple[int, str, object]:
        if self.manner == "chat" and path == "/v1/completions":
            return 404, "", {"error": {"message": "Not Found"}}
        unknown = {"add_special_tokens", "return_token_ids", "top_k"} & set(asked)
        if self.manner == "strict" and unknown:
            return 400, "", {"error": {"message": f"unknown field {min(unknown)}"}}
        if self.manner in ("strict", "begins") and path == "/v1/completions":
            asked = {**asked, "prompt": "<bos>" + asked["prompt"]}
        if self.manner == "single" and asked.get("n", 1) > 1:
            return 500, "", {"error": {"message": "Only one completion choice is allowed"}}
        if self.manner == "unseeded" and path == "/v1/completions":
            asked = {**asked, "seed": next(DRAWN)}
        if path == "/v1/models":
            return 200, "", {"data": self.models()}
        if path == "/calls":
            counts = {"refused": self.refused, "most_under_way": self.most_under_way}
            counts |= {"sessions": self.sessions, "metrics_read": self.metrics_read}
            return 200, "", {"calls": self.calls, "authorized": self.authorized, **counts}
        if path == "/faults":
            self.faults += asked["faults"]
            return 200, "", {}
        if path == "/reset":
            self.calls, self.faults = [], []
            return 200, "", {}
        if path == "/metrics" and self.metrics is not None:
            self.metrics_read += 1
            return 200, "", self.metrics.encode()
        if path == "/metrics/are":
            self.metrics = asked["text"]
            return 200, "", {}
        if path == "/room":
            self.room = asked["room"]
            self.most_under_way = self.refused = 0
            return 200, "", {}
        if path != "/v1/completions":
            return 404, "", {"detail": "Not Found"}
        self.under_way += 1
        try:
            if self.under_way > self.room:
                self.refused += 1
                return 429, "", {"error": {"message": "full"}}
            self.most_under_way = max(self.most_under_way, self.under_way)
            return await self.completions(asked)
        finally:
            self.under_way -= 1

    def models(self) -> list[dict]:
        root = "someone/model" if self.manner in ("hub", "other") else str(ABACUS_MODEL)
        name = "other" if self.manner == "other" else "abacus"
        card = {"id": name, "root": root, "created": next(DRAWN)}  # as vLLM: anew in every answer
        adapter = {"id": "tuned", "root": "/there/adapter", "parent": name}
        length = {"max_model_len": self.sampler.context}
        return [card | length, adapter] if self.manner == "adapter" else [card | length]

    def fault(self, asked: dict) -> dict:
        """What is wrong with this answer."""
        for fault in self.faults:
            if fault.get("prompt", asked["prompt"]) != asked["prompt"]:
                continue
            if len(self.calls) >= fault.get("after", 0):
                if "prompt" not in fault and not fault.get("always"):
                    self.faults.remove(fault)
                return fault
        return {"kind": "none"}

    async def completions(self, asked: dict) -> tuple[int, str, object]:
        fault = self.fault(asked)
        if fault["kind"] == "die":
            os._exit(9)
        if fault["kind"] == "status":
            return fault["status"], fault.get("header", ""), {"error": {"message": "busy"}}
        if fault["kind"] == "slow":
            await asyncio.sleep(fault["seconds"])
        while fault["kind"] == "held" and len(self.calls) < fault["until"]:
            await asyncio.sleep(0.005)
        if fault["kind"] in HOSTILE:
            return 200, fault["kind"], b""
        if fault["kind"] == "html":
            return 200, "Content-Type: text/html", b"<html>Sign in [bold]here[/bold]</html>"
        if fault["kind"] == "long":
            choice = {"index": 0, "text": "x " * fault["size"], "finish_reason": "stop"}
            return 200, "rubbish", {"choices": [choice] * asked["n"]}
        if fault["kind"] == "rubbish":
            return 200, "rubbish", json.dumps(fault["answer"]).encode()
        try:
            choices, used = await self.choices(asked)
        except ItemError as error:
            return 400, "", {"error": {"message": str(error)}}
        counted = len(WORDS.encode(asked["prompt"], add_special_tokens=False).ids)
        usage = {"prompt_tokens": counted, "completion_tokens": used}
        answer = {"choices": choices, "usage": usage}
        if fault["kind"] == "empty":
            return 200, "", {"choices": []}
        if fault["kind"] == "truncated":
            return 200, "", json.dumps(answer).encode()[:-20]
        if fault["kind"] == "torn":
            return 200, "torn", json.dumps(answer).encode()[:-20]
        return 200, "", answer

    async def choices(self, asked: dict) -> tuple[list[dict], int]:
        sampling = Sampling(
            temperature=asked["temperature"],
            top_p=asked.get("top_p", 1.0),
            top_k=asked.get("top_k", 0),
            max_tokens=asked["max_tokens"],
            stop=tuple(asked.get("stop", ())),
            logprobs=bool(asked.get("logprobs")),
        )
        prompt, n, seed = asked["prompt"], asked["n"], asked["seed"]
        words = self.sampler._words.encode(prompt) if hasattr(self.sampler, "_words") else ()
        if len(words) + sampling.max_tokens > self.sampler.context:
            raise ItemError("more tokens are asked for than the context has room for")
        if asked.get("echo"):
            return [await self.echo(prompt, asked["logprobs"])], 1
        if self.seeds_count_up:
            done = await self.sampler.complete(prompt, n, sampling, seed)
        else:
            done = [
                (await self.sampler.complete(prompt, 1, sampling, seed + 1000 * i))[0]
                for i in range(n)
            ]
        choices = [
            {
                "index": i,
                "text": c.text,
                "finish_reason": c.finish,
                "token_ids": [0] * c.tokens if asked.get("return_token_ids") else None,
                "logprobs": {"token_logprobs": c.logprobs} if c.logprobs else None,
            }
            for i, c in enumerate(done)
        ]
        return choices[::-1], sum(c.tokens for c in done)

    async def echo(self, prompt: str, top: int) -> dict:
        """The prompt's own tokens, scored, and one more, as the completions API has it."""
        if not hasattr(self.sampler, "_words"):  # a server that scores nothing
            return {"index": 0, "text": prompt, "finish_reason": "length"}
        words = self.sampler._words
        offsets = [0, *(at for at in words.span("", prompt).starts[1:])]
        first = offsets[1]
        scores = await self.sampler.score(prompt[:first], prompt[first:], top)
        return {
            "index": 0,
            "text": prompt,
            "logprobs": {
                "text_offset": [*offsets, len(prompt)],
                "token_logprobs": [None, *scores.logprobs, -1.0],
                "top_logprobs": [None, *map(dict, scores.top), None],
            },
        }


async def main(kind: str, port: str = "0") -> None:
    sampler = Policy({0: 60}) if kind.startswith("policy") else await open_sampler(kind)
    if isinstance(sampler, Policy) and kind == "policy-slow":
        sampler.delay_s = 0.02
    manner = kind.rpartition("-")[2]
    await Served(sampler, seeds_count_up=kind != "policy", manner=manner).serve(int(port))


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
