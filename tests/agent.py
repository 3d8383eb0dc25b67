"""A policy without weights that acts: it works off a chain of sums with a calculator, and slips.

It keeps the sampler's contract. Its every draw is a pure function of the prefix and the seed.
"""

from __future__ import annotations

import json
import random
import re

from prmdata.records import Problem
from prmdata.sampler.models.rendering import ChatTemplate
from prmdata.sampler.protocol import Completion, Sampling, Scored

HERMES = (
    "{% if tools %}{{ '<|im_start|>system\n# Tools\n<tools>' }}"
    "{% for tool in tools %}{{ '\n' }}{{ tool | tojson }}{% endfor %}"
    "{{ '\n</tools><|im_end|>\n' }}{% endif %}"
    "{% for m in messages %}{% if m.role == 'tool' %}"
    "{{ '<|im_start|>user\n<tool_response>\n' ~ m.content ~ '\n</tool_response><|im_end|>\n' }}"
    "{% else %}{{ '<|im_start|>' ~ m.role ~ '\n' ~ m.content }}{% for call in m.tool_calls or [] %}"
    "{% if m.content or not loop.first %}{{ '\n' }}{% endif %}"
    """{{ '<tool_call>\n{"name": ' ~ (call.function.name | tojson) ~ ', "arguments": ' """
    """~ (call.function.arguments | tojson) ~ '}\n</tool_call>' }}"""
    "{% endfor %}{{ '<|im_end|>\n' }}{% endif %}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
)
OPERATIONS = {"Add": "+", "Subtract": "-", "Multiply by": "*"}


def problem(index: int, length: int = 3) -> Problem:
    chance = random.Random(f"chain {index}")
    value = start = chance.randrange(2, 30)
    parts = [f"Start with {start}."]
    for _ in range(length):
        word = chance.choice(list(OPERATIONS))
        number = chance.randrange(2, 12)
        value = {"+": value + number, "-": value - number, "*": value * number}[OPERATIONS[word]]
        parts.append(f"{word} {number}.")
    return Problem(f"chain-{index}", " ".join(parts), str(value))


class Agent:
    spec = "agent"
    fingerprint = "agent-1"
    template = ChatTemplate(HERMES)
    context = 1 << 20

    def __init__(self, *, slips: float = 0.2, odd: str | None = None) -> None:
        self.slips = slips
        self.odd = odd
        """Written in the place of every second turn."""
        self.calls: list[tuple[str, int, int]] = []

    async def complete(
        self, prefix: str, n: int, sampling: Sampling, seed: int
    ) -> list[Completion]:
        self.calls.append((prefix, n, seed))
        return [self._one(prefix, seed + i, sampling) for i in range(n)]

    def _one(self, prefix: str, seed: int, sampling: Sampling) -> Completion:
        chance = random.Random(f"{prefix} {seed}")
        question = re.findall(r"Start with (\d+)\.((?: [A-Z][a-z ]+\d+\.)*)", prefix)[0]
        plan = re.findall(r"([A-Z][a-z ]+?) (\d+)\.", question[1])
        results = re.findall(r"<tool_response>\n(.*?)\n</tool_response>", prefix, re.DOTALL)
        if self.odd is not None and len(results) % 2 == 0:
            text = self.odd
        elif len(results) < len(plan):
            word, number = plan[len(results)]
            before = results[-1] if results else question[0]
            if chance.random() < self.slips:
                number = str(int(number) + 1)
            call = {
                "name": "calculator",
                "arguments": {"expression": f"{before} {OPERATIONS[word]} {number}"},
            }
            text = f"Next.\n<tool_call>\n{json.dumps(call)}\n</tool_call>"
        else:
            text = f"The answer is {results[-1]}."
        tokens = len(text) // 4 + 1
        if tokens > sampling.max_tokens:
            return Completion(text[: 4 * sampling.max_tokens], sampling.max_tokens, "length")
        return Completion(text, tokens, "stop")

    async def score(self, prefix: str, text: str, top: int = 0) -> Scored:
        """As arbitrary as it is reproducible: a token a word."""
        del top
        chance = random.Random(f"{prefix} {text}")
        starts = tuple(found.start() for found in re.finditer(r"\S+", text))
        read = len((prefix + text).split())
        return Scored(tuple(-2 * chance.random() for _ in starts), starts, read)

    async def close(self) -> None:
        pass
