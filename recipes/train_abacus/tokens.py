"""The model's tokenizer: whole words, single digits, a line's end as one token.

A step ends in the token `.\\n`, so a prefix of whole steps is cut into the same tokens alone as
within the full text. Other text falls back to characters, then bytes: nothing is lost.
"""

from __future__ import annotations

import random
import re
from pathlib import Path

from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, pre_tokenizers

from prmdata.abacus import solution, story
from prmdata.abacus.oracle import CORRECTION

PIECES = r"\.\n| ?\d| ?[A-Za-z]+| ?[^\sA-Za-z\d]|\s"
SPECIALS = ("<pad>", "<bos>", "<eos>")
CALLS = (
    '<tool_call>\n{"name": "calculator", "arguments": {"expression": "',
    '<tool_call>\n{"name": "lookup", "arguments": {"letter": "',
    '"}}\n</tool_call>',
)
"""What stands around the argument of a call: one token each."""
AGENT = (
    " ?", " p", " q", " r", " s", " I", " look", " up", "Result", "Tools", " calculator", " lookup",
    " ledger", " and", " most", " can", " be", " looked", " No", " ups", " left", " not",
)  # fmt: skip
"""Words of the agent that stories do not use."""
TEMPLATE = (
    "{{ bos_token }}{% for message in messages %}{% if message['role'] == 'user' %}"
    "{{ 'Question: ' + message['content'] + '\n' }}"
    "{% else %}{{ message['content'] }}{% endif %}{% endfor %}"
)
"""Only a user's words are a question; all else stands as it is. The assistant's turn stays open."""

AGENT_TEMPLATE = (
    "{{ bos_token }}"
    "{% if tools %}Tools:{% for tool in tools %}{{ ' ' + tool['function']['name'] }}"
    "{% endfor %}{{ '\n' }}{% endif %}"
    "{% for message in messages %}"
    "{% if message['role'] == 'user' %}{{ 'Question: ' + message['content'] + '\n' }}"
    "{% elif message['role'] == 'tool' %}{{ 'Result: ' + message['content'] + '\n' }}"
    "{% elif message['role'] == 'assistant' %}{{ message['content'] }}"
    "{% for call in message['tool_calls'] or [] %}"
    "{{ '\n<tool_call>\n{\"name\": \"' + call['function']['name'] + '\", \"arguments\": ' }}"
    "{{ call['function']['arguments'] | tojson }}{{ '}\n</tool_call>' }}"
    "{% endfor %}{{ eos_token + '\n' }}"
    "{% endif %}{% endfor %}"
)
"""Turns end in the end mark, results of tools in a line's end."""


def vocabulary() -> dict[str, int]:
    """Specials, bytes, printable characters, then every word that stories use."""
    found = set(re.findall(PIECES, f"Step 1: {CORRECTION}The answer is 0.\n"))
    for index in range(20_000):
        told = story(0, index, 1 + index % 4, "train")
        lines = solution(told, random.Random(index))
        found.update(re.findall(PIECES, document_text(told.question, lines)))
    for number in "0123456789":
        found.update((number, f" {number}"))
    characters = [chr(code) for code in range(32, 127)] + ["\n"]
    spelled = [f"<0x{byte:02X}>" for byte in range(256)]
    words = sorted(found - set(characters))
    return {token: i for i, token in enumerate([*SPECIALS, *spelled, *characters, *words])}


def document_text(question: str, lines: list[str]) -> str:
    return f"Question: {question}\n" + "".join(f"{line}\n" for line in lines)


def tokenizer() -> Tokenizer:
    made = Tokenizer(
        models.BPE(vocab=vocabulary(), merges=[], ignore_merges=True, byte_fallback=True)
    )
    made.pre_tokenizer = pre_tokenizers.Split(Regex(PIECES), "isolated")
    made.decoder = decoders.Sequence([decoders.ByteFallback(), decoders.Fuse()])
    made.add_special_tokens([AddedToken(token, special=True) for token in SPECIALS])
    return made


def agent_tokenizer() -> Tokenizer:
    """The same tokens by the same numbers, and then the agent's own."""
    found = vocabulary()
    for token in (*CALLS, *AGENT):
        found.setdefault(token, len(found))
    made = Tokenizer(models.BPE(vocab=found, merges=[], ignore_merges=True, byte_fallback=True))
    calls = "|".join(re.escape(call) for call in CALLS)
    made.pre_tokenizer = pre_tokenizers.Split(Regex(f"{calls}|{PIECES}"), "isolated")
    made.decoder = decoders.Sequence([decoders.ByteFallback(), decoders.Fuse()])
    made.add_special_tokens([AddedToken(token, special=True) for token in SPECIALS])
    return made


def save(made: Tokenizer, folder: Path, template: str = TEMPLATE) -> None:
    """As a standard Hugging Face tokenizer, with the chat template."""
    from transformers import PreTrainedTokenizerFast

    fast = PreTrainedTokenizerFast(  # type: ignore[no-untyped-call]
        tokenizer_object=made,
        bos_token="<bos>",
        eos_token="<eos>",
        pad_token="<pad>",
        clean_up_tokenization_spaces=False,
        model_max_length=1024,
    )
    fast.chat_template = template
    fast.save_pretrained(folder, save_jinja_files=False)
