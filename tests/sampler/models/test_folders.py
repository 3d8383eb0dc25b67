"""Models of the hub, fetched over real HTTP from a small one in a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

pytest.importorskip("huggingface_hub")

from tests.stages.hub import TOKEN

Fetch = Callable[..., tuple[int, list[str], str]]
TREE = Path(__file__).parents[3]
CODE = """
import sys
from prmdata.errors import PrmdataError
from prmdata.sampler.models import folders
try:
    folder = getattr(folders, sys.argv[1])("me/model", "vllm:me/model")
except PrmdataError as error:
    sys.exit(str(error))
print(*sorted(str(p.relative_to(folder)) for p in folder.rglob("*") if p.is_file()), sep="\\n")
"""
SMALL = ("config.json", "tokenizer.json", "tokenizer_config.json")


@pytest.fixture
def fetch(hub: tuple[str, Path], tmp_path: Path) -> Fetch:
    """Fetches a model that has these files: the exit code, what is there, what was said."""

    def run(
        *files: str, kind: str = "model_folder", gated: bool = False, token: str = ""
    ) -> tuple[int, list[str], str]:
        for name in (*files, *([".gated"] if gated else [])):
            path = hub[1] / "me" / "model" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(f"{{}} {name}")
        done = subprocess.run(
            [sys.executable, "-c", CODE, kind],
            capture_output=True,
            text=True,
            cwd=tmp_path,
            env={
                "PATH": os.environ["PATH"],
                "PYTHONPATH": str(TREE),
                "HF_HOME": str(tmp_path / "hf"),
                "HF_ENDPOINT": hub[0],
                "HF_HUB_DISABLE_XET": "1",
                **({"HF_TOKEN": token} if token else {}),
            },
            timeout=120,
        )
        return done.returncode, done.stdout.split(), done.stderr

    return run


@pytest.mark.parametrize(
    ("weights", "left"),
    [
        (("model-1-of-1.safetensors",), ("consolidated.safetensors", "pytorch_model.bin")),
        (("model.safetensors",), ("original/model.safetensors", "metal/model.bin")),
        (("consolidated.safetensors",), ("pytorch_model.bin", "original/model.safetensors")),
        (("pytorch_model.bin",), ("training_args.bin", "pytorch_model.pt", "onnx/model.bin")),
    ],
)
def test_weights_are_fetched_in_one_layout(
    fetch: Fetch, weights: tuple[str, ...], left: tuple[str, ...]
) -> None:
    code, found, err = fetch(*SMALL, *weights, *left)
    assert code == 0, err
    assert found == sorted([*SMALL, *weights])


def test_all_of_the_tokenizer_comes_and_the_models_code(fetch: Fetch) -> None:
    more = ("tokenizer.model", "qwen.tiktoken", "merges.txt", "vocab.txt", "modeling_mine.py")
    code, found, err = fetch(*SMALL, *more, "chat_template.jinja", "model.safetensors", "fig.png")
    assert code == 0, err
    assert found == sorted([*SMALL, *more, "chat_template.jinja", "model.safetensors"])
    wanted = ("config.json", "tokenizer.json", "tokenizer_config.json", "chat_template.jinja")
    assert set(wanted) <= set(fetch(*SMALL, kind="tokenizer_folder")[1])


def test_a_tokenizer_comes_without_weights(fetch: Fetch) -> None:
    assert fetch(*SMALL, "model.safetensors", kind="tokenizer_folder")[1] == sorted(SMALL)


def test_a_model_without_weights(fetch: Fetch) -> None:
    code, _, err = fetch(*SMALL, "model-q4.gguf")
    assert code == 1
    assert "me/model has no weights on the hub that are .safetensors or .bin" in err


def test_a_gated_model_says_what_opens_it(fetch: Fetch) -> None:
    code, _, err = fetch(*SMALL, "model.safetensors", gated=True)
    assert code == 1
    assert "accept the licence on the model's page (https://huggingface.co/me/model)" in err
    assert "hf auth login or HF_TOKEN" in err
    assert fetch(*SMALL, "model.safetensors", gated=True, token=TOKEN)[0] == 0


@pytest.mark.parametrize(
    ("token", "said"),
    [("", "hf auth login or HF_TOKEN"), (TOKEN, "not from the hub: Repository Not Found")],
)
def test_a_model_that_is_not_there(fetch: Fetch, token: str, said: str) -> None:
    code, _, err = fetch(token=token)
    assert code == 1
    assert said in err
    assert "Client Error" not in err
