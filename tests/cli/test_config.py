"""`--config FILE`: options from TOML, which the command line overrides."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

CONFIG = """
seed = 1
max-tokens = 500

[generate]
source = "abacus:12"
samples = 4
output = "t.jsonl"
temperature = 0.5

[label]
source = "t.jsonl"
method = "threshold"
set = { evidence = "mc", threshold = 0.5 }
"""


@pytest.fixture(autouse=True)
def config() -> None:
    Path("c.toml").write_text(CONFIG)


def settings(target: str) -> dict:
    return json.loads(Path(f".prmdata/{target}/manifest.json").read_text())["settings"]


def test_one_file_serves_several_commands_and_what_is_typed_wins(prmdata) -> None:
    words = ("--config", "c.toml", "--sampler", "abacus", "--store", "none", "--limit", "2")
    done = prmdata("generate", *words, "-n", "2")
    assert done.returncode == 0, done.stderr
    made = settings("t.jsonl")
    assert (made["source"], made["samples"], made["seed"]) == ("abacus:12", 2, 1)
    assert (made["max_tokens"], made["temperature"]) == (500, 0.5)
    done = prmdata("label", "--config=c.toml", "-o", "l.jsonl", "--max-errors", "100%")
    assert done.returncode == 0, done.stderr
    made = settings("l.jsonl")
    assert (made["set evidence"], made["set threshold"]) == ("mc", 0.5)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("limmit = 3", "prmdata label has no option 'limmit'"),
        ("[label]\nsplit = 'train=1'", "prmdata label has no option 'split'"),
        ("limit = many", "not TOML"),
        ("limit = 'many'", "'--limit'"),
        ("[label]\nlimit = 0", "'--limit'"),
    ],
)
def test_what_is_wrong_in_it_is_a_usage_error(prmdata, text: str, says: str) -> None:
    Path("c.toml").write_text(text)
    done = prmdata("label", "--config", "c.toml", stdin="")
    assert done.returncode == 2
    assert says in done.stderr


def test_an_option_of_another_command_is_passed_over(prmdata) -> None:
    Path("c.toml").write_text("split = 'train=1'\n")
    assert "input is empty" in prmdata("label", "--config", "c.toml", stdin="").stderr


def test_a_file_that_is_not_there_is_named(prmdata) -> None:
    done = prmdata("label", "--config", "none.toml", stdin="")
    assert done.returncode == 2
    assert "--config none.toml: No such file" in done.stderr
