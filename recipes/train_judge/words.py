"""The policy's tokenizer, with a word of the judge's and a chat template of its own."""

from __future__ import annotations

import json
from pathlib import Path

from tokenizers import Tokenizer

from prmdata.abacus import MODEL

NEW = (" right",)
TEMPLATE = "{{ bos_token }}{{ 'Question: ' + messages[-1]['content'] + '\\n' }}"
"""A judge's user message is the story and the attempt; instructions in other messages are left out,
since this model was trained to do one thing. Texts that other prompts wrap around them mislead
it."""


def judging_tokenizer() -> Tokenizer:
    found = json.loads((MODEL / "tokenizer.json").read_text(encoding="utf-8"))
    words = found["model"]["vocab"]
    for word in NEW:
        words.setdefault(word, len(words))
    return Tokenizer.from_str(json.dumps(found))


def save(words: Tokenizer, folder: Path) -> None:
    words.save(str(folder / "tokenizer.json"))
    path = folder / "tokenizer_config.json"
    config = json.loads(path.read_text(encoding="utf-8"))
    config["chat_template"] = TEMPLATE
    path.write_text(json.dumps(config, indent=2) + "\n", encoding="utf-8")
