"""A small OpenAI-compatible server: the embedded model, or the weightless policy, behind a socket.

    python -m tests.sampler.server abacus

It prints its address. `GET /calls` tells every (prompt, seed) that it has served; `POST /faults`
makes it misbehave for a number of requests.
"""

from __future__ import annotations

import asyncio
import json
import sys
from dataclasses import dataclass, field

from prmdata.errors import ItemError
from prmdata.sampler import ABACUS_MODEL, Sampler, Sampling, open_sampler
from tests.policy import Policy


@dataclass
class Served:
    sampler: Sampler
    seeds_count_up: bool = True
    calls: list[tuple[str, int]] = field(default_factory=list)
    faults: list[dict] = field(default_factory=list)
    authorized: list[str | None] = field(default_factory=list)

    async def serve(self) -> None:
        server = await asyncio.start_server(self.connected, "127.0.0.1", 0, limit=1 << 24)
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
        extra = f"{more}\r\n" if more and more != "torn" else ""
        writer.write(
            f"HTTP/1.1 {status} x\r\nContent-Length: {length}\r\n{extra}\r\n".encode() + raw
        )
        await writer.drain()
        return more != "torn"

    async def answer(self, method: str, path: str, asked: dict) -> tuple[int, str, object]:
        if path == "/v1/models":
            model = {
                "id": "abacus",
                "root": str(ABACUS_MODEL),
                "max_model_len": self.sampler.context,
            }
            return 200, "", {"data": [model]}
        if path == "/calls":
            return 200, "", {"calls": self.calls, "authorized": self.authorized}
        if path == "/faults":
            self.faults += asked["faults"]
            return 200, "", {}
        return await self.completions(asked)

    async def completions(self, asked: dict) -> tuple[int, str, object]:
        fault = self.faults.pop(0) if self.faults else {"kind": "none"}
        if fault["kind"] == "status":
            return fault["status"], fault.get("header", ""), {"error": {"message": "busy"}}
        if fault["kind"] == "slow":
            await asyncio.sleep(fault["seconds"])
        try:
            choices, used = await self.choices(asked)
        except ItemError as error:
            return 400, "", {"error": {"message": str(error)}}
        answer = {"choices": choices, "usage": {"completion_tokens": used}}
        if fault["kind"] == "empty":
            return 200, "", {"choices": []}
        if fault["kind"] == "truncated":
            return 200, "", json.dumps(answer).encode()[:-20]
        if fault["kind"] == "torn":
            return 200, "torn", json.dumps(answer).encode()[:-20]
        n, seed, step = asked["n"], asked["seed"], 1 if self.seeds_count_up else 1000
        self.calls += [(asked["prompt"], seed + i * step) for i in range(n)]
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
        if asked.get("echo"):
            return [await self.echo(prompt)], 1
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

    async def echo(self, prompt: str) -> dict:
        """The prompt's own tokens, scored, and one more, as the completions API has it."""
        words = self.sampler._words  # type: ignore[attr-defined]
        ids = words.encode(prompt)
        texts = [words._tokenizer.decode([i], skip_special_tokens=False) for i in ids]
        offsets = [sum(map(len, texts[:i])) for i in range(len(texts))]
        first = len(prompt) - len("".join(texts[1:]))
        scores = await self.sampler.score(prompt[:first], prompt[first:])
        return {
            "index": 0,
            "text": prompt,
            "logprobs": {
                "text_offset": [*offsets, len(prompt)],
                "token_logprobs": [None, *scores, -1.0],
            },
        }


async def main(kind: str) -> None:
    sampler = Policy({0: 60}) if kind.startswith("policy") else await open_sampler(kind)
    if isinstance(sampler, Policy) and kind == "policy-slow":
        sampler.delay_s = 0.02
    await Served(sampler, seeds_count_up=kind != "policy").serve()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
