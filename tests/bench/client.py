"""What the endpoint sampler costs beside a bare HTTP client, in processor time a completion."""

from __future__ import annotations

import asyncio
import contextlib
import json
import statistics
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Iterator

from prmdata.sampler import ABACUS_MODEL, Sampling, open_sampler

AT_ONCE = 256
CALLS = 3000
ANSWER = {
    "choices": [
        {"index": 0, "text": " eggs.\n" * 12, "finish_reason": "stop", "token_ids": [7] * 48}
    ],
    "usage": {"completion_tokens": 48},
}
MODELS = {"data": [{"id": "fixed", "root": str(ABACUS_MODEL), "max_model_len": 1024}]}


async def answering() -> None:
    """A server that has one answer to everything, at once."""

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
                length = next(
                    (int(x.split(":")[1]) for x in head.splitlines() if "content-length" in x), 0
                )
                await reader.readexactly(length)
                body = json.dumps(MODELS if "/models" in head else ANSWER).encode()
                writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
                await writer.drain()

    server = await asyncio.start_server(connected, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


@contextlib.contextmanager
def served() -> Iterator[str]:
    words = [sys.executable, "-m", "tests.bench.client"]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        yield f"http://127.0.0.1:{int(process.stdout.readline())}/v1"
        process.kill()


async def _spent(call: Callable[[int], Awaitable[object]]) -> float:
    """Milliseconds of processor time a call, this process alone."""
    room = asyncio.Semaphore(AT_ONCE)

    async def one(i: int) -> None:
        async with room:
            await call(i)

    begun = time.process_time()
    await asyncio.gather(*(one(i) for i in range(CALLS)))
    return (time.process_time() - begun) / CALLS * 1000


async def compare(url: str, rounds: int = 5) -> tuple[float, float]:
    """Ours, and a bare client's."""
    import aiohttp

    sampler = await open_sampler(url)
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=AT_ONCE)) as client:
        prompt = "<bos>Question: " + "How many eggs does Ada have at the end? " * 8 + "\n"
        asked = {"model": "fixed", "prompt": prompt, "n": 1, "seed": 1, "max_tokens": 200}

        async def bare(i: int) -> None:
            async with client.post(f"{url}/completions", json={**asked, "seed": i}) as answer:
                json.loads(await answer.read())

        ours, theirs = [], []
        for _ in range(rounds):
            ours.append(
                await _spent(lambda i: sampler.complete(prompt, 1, Sampling(max_tokens=200), i))
            )
            theirs.append(await _spent(bare))
    await sampler.close()
    return statistics.median(ours), statistics.median(theirs)


def figure() -> str:
    with served() as url:
        ours, theirs = asyncio.run(compare(url))
    return (
        f"{ours - theirs:+.2f} ms of one core a completion above bare aiohttp's "
        f"({ours:.2f} beside {theirs:.2f})"
    )


if __name__ == "__main__":
    asyncio.run(answering())
