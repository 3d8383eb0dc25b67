"""`prm` through vLLM's own server: a model of two classes, one of texts, and Qwen's kind.

Random weights, and what transformers makes of them is what must come back.
"""

from __future__ import annotations

import contextlib
import json
import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import prmdata
from prmdata.records import Trace
from tests.labellers.test_prm import values
from tests.sampler.rating import SEPARATOR, save_words
from tests.sampler.test_contract import needs_vllm
from tests.sampler.tiny import GROUPED

pytestmark = needs_vllm
SHAPE = {
    **{"bos_token_id": 1, "eos_token_id": 2, "pad_token_id": 0, "max_position_embeddings": 1024},
    **{"initializer_range": 0.3, "tie_word_embeddings": False, **GROUPED, "head_dim": 32},
    **{"hidden_size": 128},
}


@contextlib.contextmanager
def pooling_server(folder: Path, *more: str) -> Iterator[str]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    words = [
        sys.executable, "-m", "vllm.entrypoints.openai.api_server", "--model", str(folder),
        "--runner", "pooling", "--port", str(port), "--host", "127.0.0.1", "--enforce-eager",
        "--max-model-len", "1024", "--dtype", "float32", *more,
    ]  # fmt: skip
    env = {**os.environ, "VLLM_CPU_KVCACHE_SPACE": "1", "VLLM_LOGGING_LEVEL": "WARNING"}
    with subprocess.Popen(words, env=env, stdout=sys.stderr) as process:
        try:
            deadline = time.monotonic() + 240
            while time.monotonic() < deadline and process.poll() is None:
                with contextlib.suppress(OSError):
                    urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=2)
                    break
                time.sleep(0.5)
            yield f"prm:http://127.0.0.1:{port}/v1"
        finally:
            process.terminate()


def words_of(folder: Path) -> Any:
    from tokenizers import Tokenizer

    return Tokenizer.from_file(str(folder / "tokenizer.json"))


def chat(trace: Trace, separator: str) -> str:
    text = f"<user>{trace.problem.question}</user>\n<assistant>"
    return text + "".join(f"{step.text.strip()}{separator}" for step in trace.steps)


def save(folder: Path, kind: str, **more: Any) -> Any:
    """A model of `AutoModelFor…`, written as transformers writes it, beside its tokenizer."""
    import torch
    import transformers

    save_words(folder)
    size = words_of(folder).get_vocab_size()
    torch.manual_seed(3)
    config = transformers.AutoConfig.for_model("llama", vocab_size=size, num_labels=2, **SHAPE)
    model = getattr(transformers, kind).from_config(config).float().eval()
    model.save_pretrained(folder)
    return model


def test_a_model_that_rates_tokens(tmp_path: Path, traces: list[Trace]) -> None:
    import torch

    model = save(tmp_path, "AutoModelForTokenClassification")
    words = words_of(tmp_path)
    mark = words.token_to_id(SEPARATOR)
    with pooling_server(tmp_path) as url:
        settings = {"layout": "chat", "separator": SEPARATOR}
        made = prmdata.estimate(traces[:20], method="prm", sampler=url, settings=settings)
        trl = prmdata.estimate(traces[:20], method="prm", sampler=url, settings={"layout": "trl"})
    spread = set()
    for trace in made:
        ids = words.encode(chat(trace, SEPARATOR), add_special_tokens=False).ids
        with torch.no_grad():
            rows = model(torch.tensor([ids])).logits[0].softmax(-1)[:, 1].tolist()
        wanted = [p for p, token in zip(rows, ids, strict=True) if token == mark]
        assert values(trace) == pytest.approx(wanted, abs=1e-3)
        spread |= {round(p, 1) for p in wanted}
    assert len(spread) > 3
    for trace in trl:
        ids, places = [1], []
        for part in (f"{trace.problem.question}\n", *(s.text.strip() for s in trace.steps)):
            ids += words.encode(part, add_special_tokens=False).ids
            if len(ids) > 1 and part != f"{trace.problem.question}\n":
                ids += words.encode("\n", add_special_tokens=False).ids
                places.append(len(ids) - 1)
        with torch.no_grad():
            rows = model(torch.tensor([ids])).logits[0].softmax(-1)[:, 1].tolist()
        assert values(trace) == pytest.approx([rows[place] for place in places], abs=1e-3)


def test_a_model_that_rates_texts(tmp_path: Path, traces: list[Trace]) -> None:
    import torch

    model = save(tmp_path, "AutoModelForSequenceClassification")
    words = words_of(tmp_path)
    with pooling_server(tmp_path) as url:
        settings = {"layout": "chat", "separator": SEPARATOR}
        made = prmdata.estimate(traces[:8], method="prm", sampler=url, settings=settings)
    for trace in made:
        ids = words.encode(chat(trace, SEPARATOR), add_special_tokens=False).ids
        mark = words.token_to_id(SEPARATOR)
        wanted = []
        for place, token in enumerate(ids):
            if token == mark:
                with torch.no_grad():
                    row = model(torch.tensor([ids[: place + 1]])).logits[0].softmax(-1)
                wanted.append(row[1].item())
        assert values(trace) == pytest.approx(wanted, abs=1e-3)


def test_a_model_of_qwens_kind(tmp_path: Path, traces: list[Trace]) -> None:
    """Two layers as its head, and numbers at its separators alone (pooling type STEP)."""
    import torch
    import transformers
    from safetensors.torch import save_file

    save_words(tmp_path)
    words = words_of(tmp_path)
    torch.manual_seed(4)
    config = transformers.AutoConfig.for_model(
        "qwen2", vocab_size=words.get_vocab_size(), num_labels=2, **SHAPE
    )
    body = transformers.AutoModel.from_config(config).float().eval()
    width = config.hidden_size
    head = torch.nn.Sequential(
        torch.nn.Linear(width, width), torch.nn.ReLU(), torch.nn.Linear(width, 2)
    )
    weights = {f"model.{name}": part for name, part in body.state_dict().items()}
    weights |= {f"score.{name}": part for name, part in head.state_dict().items()}
    save_file({n: w.contiguous() for n, w in weights.items()}, tmp_path / "model.safetensors")
    known = {**config.to_dict(), "architectures": ["Qwen2ForProcessRewardModel"]}
    (tmp_path / "config.json").write_text(json.dumps(known), encoding="utf-8")
    mark = words.token_to_id(SEPARATOR)
    pooler = json.dumps({"step_tag_id": mark})
    with pooling_server(tmp_path, "--pooler-config", pooler) as url:
        made = prmdata.estimate(traces[:20], method="prm", sampler=url)
    for trace in made:
        text = chat(trace, SEPARATOR)
        system = "<system>Please reason step by step, and put your final answer within "
        ids = words.encode(f"{system}\\boxed{{}}.</system>\n{text}", add_special_tokens=False).ids
        with torch.no_grad():
            hidden = body(torch.tensor([ids])).last_hidden_state[0]
            rows = head(hidden).softmax(-1)[:, 1].tolist()
        wanted = [p for p, token in zip(rows, ids, strict=True) if token == mark]
        assert values(trace) == pytest.approx(wanted, abs=1e-3)
