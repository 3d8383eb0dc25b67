"""A small server of a reward model, as vLLM has it: `/pooling` and `/classify` beside `/v1`.

    python -m tests.sampler.rating FOLDER MANNER

It prints its address. What it thinks of a token is a number that hangs on all tokens up to it.
`tokens` rates every token, `steps` the separators alone, `texts` whole texts; `neither` rates
nothing; `logits` gives no probabilities; `few` and `many` are broken.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import json
import math
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from tests.sampler.tiny import _tokenizer

ROOT = Path(__file__).parents[2]
SEPARATOR = "<extra_0>"
TEMPLATE = (
    "{% for m in messages %}<{{ m.role }}>{{ m.content }}</{{ m.role }}>\n{% endfor %}"
    "{% if add_generation_prompt %}<assistant>{% endif %}"
)


def save_words(folder: Path) -> Path:
    """A tokenizer with a separator of its own, and a chat template."""
    from tokenizers import AddedToken

    words = _tokenizer()
    words.add_special_tokens([AddedToken(SEPARATOR, special=True)])
    words.save(str(folder / "tokenizer.json"))
    config = {
        "tokenizer_class": "PreTrainedTokenizerFast",
        **{"bos_token": "<bos>", "eos_token": "<eos>", "pad_token": "<pad>"},
        "chat_template": TEMPLATE,
    }
    (folder / "tokenizer_config.json").write_text(json.dumps(config), encoding="utf-8")
    return folder


def thought(ids: Sequence[int]) -> float:
    """Between 0 and 1, as arbitrary as it is reproducible."""
    digest = hashlib.blake2b(json.dumps(list(ids)).encode(), digest_size=4).digest()
    return (int.from_bytes(digest, "big") + 1) / 2**32


@contextlib.contextmanager
def rating(folder: Path, manner: str = "tokens") -> Iterator[str]:
    words = [sys.executable, "-m", "tests.sampler.rating", str(folder), manner]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True, cwd=ROOT) as process:
        assert process.stdout is not None
        try:
            yield f"prm:{process.stdout.readline().strip()}"
        finally:
            process.kill()


class Served:
    def __init__(self, folder: Path, manner: str) -> None:
        from tokenizers import Tokenizer

        self.folder, self.manner = folder, manner
        words = Tokenizer.from_file(str(folder / "tokenizer.json"))
        self.separator = words.token_to_id(SEPARATOR)
        self.asked = 0

    async def serve(self) -> None:
        server = await asyncio.start_server(self.connected, "127.0.0.1", 0, limit=1 << 24)
        print(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1", flush=True)
        async with server:
            await server.serve_forever()

    async def connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
            _, path, _ = head.split(" ", 2)
            lines = (line.lower().split(": ", 1) for line in head.splitlines()[1:] if ": " in line)
            body = await reader.readexactly(int(dict(lines).get("content-length", 0)))
            status, content = self.answer(path, json.loads(body) if body else {})
            raw = json.dumps(content).encode()
            writer.write(
                f"HTTP/1.1 {status} x\r\nContent-Length: {len(raw)}\r\n\r\n".encode() + raw
            )
            await writer.drain()
        writer.close()

    def answer(self, path: str, asked: dict[str, Any]) -> tuple[int, Any]:
        if path == "/v1/models":
            card = {"id": "rm", "root": str(self.folder), "max_model_len": 400}
            return 200, {"data": [card]}
        if path == "/asked":
            return 200, {"asked": self.asked}
        rated = {"/pooling": self.pooled, "/classify": self.classified}.get(path)
        if rated is None or self.manner == "neither":
            return 404, {"error": {"message": "not found"}}
        assert asked["use_activation"]
        self.asked += 1
        data = [rated(ids) for ids in asked["input"]]
        return 200, {"object": "list", "data": data, "usage": {"prompt_tokens": 1}}

    def pooled(self, ids: list[int]) -> dict[str, Any]:
        if self.manner == "texts":
            return {"index": 0, "object": "pooling", "data": self.row(ids)}
        places = range(len(ids))
        if self.manner == "steps":
            places = [i for i in places if ids[i] == self.separator]
        rows = [self.row(ids[: place + 1]) for place in places]
        if self.manner == "few":
            rows = rows[: len(rows) // 2]
        if self.manner == "many":
            rows = rows * 2
        return {"index": 0, "object": "pooling", "data": rows}

    def classified(self, ids: list[int]) -> dict[str, Any]:
        return {"index": 0, "label": "good", "probs": self.row(ids), "num_classes": 2}

    def row(self, ids: list[int]) -> list[float]:
        p = thought(ids)
        if self.manner == "logits":
            return [math.log(1 - p) + 3, math.log(p) + 3]
        return [1 - p, p]


if __name__ == "__main__":
    asyncio.run(Served(Path(sys.argv[1]), sys.argv[2]).serve())
