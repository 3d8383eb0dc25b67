"""What is found out of a server before a run, and what a user is told of it."""

from __future__ import annotations

import asyncio
import http.server
import os
import shutil
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from prmdata.errors import SamplerError, UsageError
from prmdata.sampler import ABACUS_MODEL, open_sampler
from prmdata.sampler.connecting import proxy_of
from prmdata.sampler.patience import Patient, Waits
from tests.sampler.test_contract import served
from tests.sampler.test_endpoint import PROMPT, RIGHT, asked, tell


def test_a_server_of_the_plain_api_is_asked_in_its_words() -> None:
    """It puts the first token before a prompt, so ours is left out."""
    with served("policy-strict") as url:
        assert [c.text for c in asked(url, [])] == [c.text for c in RIGHT]
        prompts = {prompt for prompt, _ in tell(url, "/calls")["calls"]}
        assert prompts == {"1", PROMPT}


def test_a_server_without_completions_is_refused_at_once() -> None:
    refused = pytest.raises(SamplerError, match=r"does not continue a text.*Not Found.*by chat")
    with served("policy-chat") as url, refused:
        asyncio.run(open_sampler(url))


def test_a_server_that_does_not_keep_to_seeds_is_told_of() -> None:
    async def told(url: str) -> list[str]:
        sampler = await open_sampler(url)
        lines: list[str] = []
        assert isinstance(sampler, Patient)
        sampler.wait_as(Waits(), lines.append)
        await sampler.close()
        return lines

    with served("policy-unseeded") as url:
        (line,) = asyncio.run(told(url))
    assert "does not keep to seeds" in line
    with served("policy") as url:
        assert asyncio.run(told(url)) == []


def test_what_cannot_be_used_is_said() -> None:
    with pytest.raises(SamplerError, match="is the server running"):
        asyncio.run(open_sampler("http://127.0.0.1:9/v1"))
    with pytest.raises(UsageError, match="in_flight"):
        asyncio.run(open_sampler("http://127.0.0.1:9/v1", {"in_flyght": "3"}))


@pytest.fixture
def cached(tmp_path: Path) -> dict[str, str]:
    """An environment without a network, whose cache of the hub holds a tokenizer."""
    model = tmp_path / "hf/hub/models--someone--model"
    (model / "refs").mkdir(parents=True)
    (model / "refs/main").write_text("c0ffee")
    words = model / "snapshots/c0ffee"
    shutil.copytree(ABACUS_MODEL, words, ignore=shutil.ignore_patterns("*.safetensors"))
    return {**os.environ, "HF_HOME": str(tmp_path / "hf"), "HF_HUB_OFFLINE": "1"}


def drawn(url: str) -> int:
    """How many samples the server was asked for, beside those of getting to know it."""
    prompts = [prompt for prompt, _ in tell(url, "/calls")["calls"]]
    return sum(prompt.startswith("<bos>Question: ") for prompt in prompts)


def test_a_model_of_the_hub_is_rendered_with_its_own_tokenizer_and_known_again(
    cached: dict[str, str], tmp_path: Path
) -> None:
    """Whatever the server says of when it was made: the store knows its answers."""

    def generate(*more: str) -> str:
        words = [sys.executable, "-m", "prmdata", "generate", "abacus:2", "-n", "2", "--sampler"]
        words += [url, "-o", "traces.jsonl", "--overwrite", *more]
        done = subprocess.run(words, capture_output=True, text=True, env=cached, cwd=tmp_path)
        assert done.returncode == 0, done.stderr
        return done.stderr

    with served("policy-hub") as url:
        assert "weights of abacus cannot be seen from here" in generate()
        assert drawn(url) == 4
        generate()
        assert drawn(url) == 4
        assert "weights" not in generate("--engine-arg", "tag=step100")
        assert drawn(url) == 8


def test_a_tokenizer_that_is_nowhere_is_asked_for(tmp_path: Path) -> None:
    env = {**os.environ, "HF_HOME": str(tmp_path), "HF_HUB_OFFLINE": "1"}
    words = [sys.executable, "-m", "prmdata", "generate", "abacus:1", "--sampler"]
    with served("policy-hub") as url:
        done = subprocess.run([*words, url], capture_output=True, text=True, env=env)
    assert done.returncode == 1
    assert "someone/model, and not from the hub" in done.stderr
    assert "--engine-arg tokenizer=…" in done.stderr


def test_an_address_that_has_moved_is_told() -> None:
    class Moved(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(301)
            self.send_header("Location", "https://example.org/v1/models")
            self.end_headers()

        def log_message(self, *words: object) -> None:
            pass

    with http.server.HTTPServer(("127.0.0.1", 0), Moved) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        with pytest.raises(SamplerError, match=r"sends us on to https://example\.org/v1/models"):
            asyncio.run(open_sampler(f"http://127.0.0.1:{server.server_port}/v1"))
        server.shutdown()


def test_a_proxy_of_the_environment_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    assert proxy_of("http://gpu:8000/v1") is None
    monkeypatch.setenv("HTTP_PROXY", "http://gate:3128")
    monkeypatch.setenv("NO_PROXY", "localhost,127.0.0.1")
    assert proxy_of("http://gpu:8000/v1") == "http://gate:3128"
    assert proxy_of("https://gpu:8000/v1") is None
    assert proxy_of("http://127.0.0.1:8000/v1") is None
