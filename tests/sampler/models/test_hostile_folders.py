"""Model folders that mean harm or are broken: their code never runs, their faults are a message."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from prmdata.sampler import ABACUS_MODEL
from tests.warm import command

EVIL = """
from pathlib import Path
Path({mark!r}).write_text("ran")
from transformers import PretrainedConfig, PreTrainedModel
class Config(PretrainedConfig):
    model_type = "evil"
class Model(PreTrainedModel):
    config_class = Config
"""


def opened(folder: Path) -> subprocess.CompletedProcess[str]:
    words = ["generate", "abacus:1", "--sampler", f"local:{folder}", "-o", "t.jsonl"]
    env = {**os.environ, "HF_HUB_OFFLINE": "1"}
    # "y" to whatever may ask whether the folder's code may run
    return command(*words, given="y\n" * 9, env=env)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return Path(shutil.copytree(ABACUS_MODEL, tmp_path / "model"))


def test_no_code_of_a_model_folder_runs(folder: Path, tmp_path: Path) -> None:
    mark = tmp_path / "ran"
    (folder / "evil.py").write_text(EVIL.format(mark=str(mark)))
    config = json.loads((folder / "config.json").read_text())
    kinds = {"AutoConfig": "evil.Config", "AutoModelForCausalLM": "evil.Model"}
    config |= {"model_type": "evil", "architectures": ["Model"], "auto_map": kinds}
    (folder / "config.json").write_text(json.dumps(config))
    done = opened(folder)
    assert not mark.exists()
    assert done.returncode == 1
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("file", "content"),
    [
        ("config.json", b"{}"),
        ("config.json", b"\xff\xfe"),
        ("config.json", b'{"model_type": "llama"}'),
        ("tokenizer.json", b"{}"),
        ("tokenizer_config.json", b"[1]"),
        ("model.safetensors", b"\x00" * 64),
        ("model.safetensors", b""),
    ],
)
def test_a_broken_folder_is_one_message(folder: Path, file: str, content: bytes) -> None:
    assert (folder / file).exists()
    (folder / file).write_bytes(content)
    done = opened(folder)
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert "model" in done.stderr
