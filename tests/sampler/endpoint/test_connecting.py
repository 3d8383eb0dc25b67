"""What is found out of a server before a run, and what a user is told of it."""

from __future__ import annotations

import asyncio
import http.server
import json
import os
import shutil
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from prmdata.errors import SamplerError, UsageError
from prmdata.sampler import ABACUS_MODEL, Sampling, open_sampler
from prmdata.sampler.endpoint.connecting import UNKNOWN_CONTEXT, _longest
from prmdata.sampler.endpoint.patience import Patient, Waits
from prmdata.sampler.endpoint.sampler import Endpoint
from tests.sampler.endpoint.test_sampler import PROMPT, RIGHT, SAMPLING, asked, tell, url
from tests.sampler.test_contract import ROOT, served

__all__ = ["url"]


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


@pytest.mark.slow
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


def opened(url: str, **options: str) -> Endpoint:
    async def open_and_close() -> Endpoint:
        sampler = await open_sampler(url, options)
        await sampler.close()
        assert isinstance(sampler, Endpoint)
        return sampler

    return asyncio.run(open_and_close())


def test_a_first_token_that_a_server_adds_itself_is_not_sent_twice() -> None:
    """It takes all fields, so only its count of the prompt's tokens tells."""

    async def ask(url: str) -> None:
        sampler = await open_sampler(url)
        await sampler.complete("<bos>Question", 1, SAMPLING, 0)
        await sampler.close()

    for manner, sent in (("begins", "Question"), ("counting", "<bos>Question")):
        with served(f"policy-{manner}") as url:
            asyncio.run(ask(url))
            assert tell(url, "/calls")["calls"][-1] == [sent, 0]


def test_what_is_not_asked_for_is_asked_not_to_be_done(url: str) -> None:
    """Servers have defaults of their own for what a request leaves out."""
    body = opened(url).body(PROMPT, 1, Sampling(), 1 << 40)
    assert (body["top_k"], body["min_p"], body["repetition_penalty"]) == (-1, 0, 1)
    assert (body["presence_penalty"], body["frequency_penalty"]) == (0, 0)
    assert (body["add_special_tokens"], body["skip_special_tokens"]) == (False, False)
    assert body["seed"] < 1 << 31
    with served("policy-strict") as strict:
        endpoint = opened(strict)
        assert not {"top_k", "min_p", "skip_special_tokens"} & set(
            endpoint.body("", 1, SAMPLING, 0)
        )
        assert "does not accept top_k" in endpoint.notes[0]


def test_a_server_that_fails_where_two_are_asked_for_is_asked_for_one() -> None:
    with served("policy-single") as url:
        assert [c.text for c in asked(url, [])] == [c.text for c in RIGHT]


def test_an_adapter_is_rendered_as_its_base_and_has_its_context() -> None:
    with served("policy-adapter") as url:
        with pytest.raises(UsageError, match="serves abacus, tuned; name one"):
            opened(url)
        tuned, base = opened(url, model="tuned"), opened(url, model="abacus")
    assert (tuned.pool.served.name, tuned.context) == ("tuned", base.context)
    assert tuned.template == base.template
    assert tuned.fingerprint != base.fingerprint


def test_other_weights_under_one_tokenizer_are_another_model(tmp_path: Path) -> None:
    """A folder that is named for its words says nothing of the weights."""
    words = str(ABACUS_MODEL)
    with served("policy") as url, served("policy-hub") as hub, served("policy-other") as other:
        plain = opened(url).fingerprint
        named = [opened(one, tokenizer=words).fingerprint for one in (url, hub, other)]
        tags = [opened(hub, tokenizer=words, tag=tag).fingerprint for tag in ("a/1", "a/2", "a 1")]
        both = [opened(one, tokenizer=words, tag="a/1").fingerprint for one in (hub, other)]
    assert len({plain, *named[1:], *tags, *both}) == 7
    assert named[0] == plain  # its own folder
    assert not any(set(found) & set("/ ") for found in tags)


def test_the_context_is_that_of_the_server_or_the_model_or_the_user() -> None:
    with served("policy") as url:
        assert opened(url).context == 4096
        assert opened(url, context="512").context == 512
    longest = json.loads((ABACUS_MODEL / "config.json").read_text())["max_position_embeddings"]
    assert _longest(ABACUS_MODEL) == longest
    assert _longest(ABACUS_MODEL.parent) == UNKNOWN_CONTEXT


def test_all_servers_must_serve_the_same() -> None:
    with served("policy") as one, served("policy-other") as other:
        with pytest.raises(SamplerError, match=r"serves other \(someone/model\), and not abacus"):
            opened(f"{one},{other}")
        assert opened(f"{one},http://127.0.0.1:9/v1").pool.served.name == "abacus"  # one is away


def test_a_server_that_comes_back_with_another_model_gets_no_work() -> None:
    lines: list[str] = []

    async def ask(dying: subprocess.Popen[str], url: str, living: str) -> list[int]:
        sampler = await open_sampler(f"{url},{living}")
        assert isinstance(sampler, Patient)
        sampler.wait_as(Waits(silence_s=0, pause_s=0.01, longest_pause_s=0.02), lines.append)
        dying.kill()
        dying.wait()
        port = url.rsplit(":", 1)[1].removesuffix("/v1")
        with served("policy-other", int(port)):
            for seed in range(40):
                await sampler.complete(PROMPT, 4, SAMPLING, seed << 16)
                await asyncio.sleep(0.01)
            await sampler.close()
            return [seed for prompt, seed in tell(url, "/calls")["calls"] if prompt == PROMPT]

    words = [sys.executable, "-m", "tests.sampler.server", "policy"]
    first = subprocess.Popen(words, stdout=subprocess.PIPE, text=True, cwd=ROOT)
    assert first.stdout is not None
    url = first.stdout.readline().strip()
    with served("policy") as living, first:
        assert asyncio.run(ask(first, url, living)) == []
    assert len(lines) == 1  # it was away, and stays away
    assert "the other servers go on" in lines[0]


def test_an_address_without_its_last_part_is_told_of(url: str) -> None:
    base = url.removesuffix("/v1")
    with pytest.raises(SamplerError, match=rf"404.*; is it {base}/v1\?"):
        asyncio.run(open_sampler(base))


def test_a_password_in_an_address_is_written_nowhere(tmp_path: Path, url: str) -> None:
    words = [sys.executable, "-m", "prmdata", "generate", "abacus:2", "-n", "2", "-o", "t.jsonl"]
    words += ["--sampler", url.replace("//", "//me:s3cret@")]
    done = subprocess.run(words, capture_output=True, text=True, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert set(tell(url, "/calls")["authorized"]) == {"basic bwu6cznjcmv0"}  # in lower case
    written = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert len(written) > 3
    assert not any(b"s3cret" in path.read_bytes() for path in written)
    assert "s3cret" not in done.stderr
