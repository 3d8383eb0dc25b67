"""How a question is put to a model: what stands in the user's message."""

from __future__ import annotations

from prmdata.errors import UsageError
from prmdata.records import Problem

AUTO = "auto"
PROMPTS = {
    "plain": "{question}",
    "boxed": "{question}\n\nPut the final answer in \\boxed{}.",
}
"""Named templates."""


def check(prompt: str) -> None:
    if prompt not in (AUTO, *PROMPTS) and "{question}" not in prompt:
        names = ", ".join((AUTO, *PROMPTS))
        raise UsageError(f"--prompt must say where the {{question}} goes, or be one of: {names}")


def template_of(prompt: str) -> str:
    """What `prompt` names, or says, where no problem decides."""
    return PROMPTS.get("plain" if prompt == AUTO else prompt, prompt)


def asks_for_box(problem: Problem) -> bool:
    """Whether `auto` asks for a boxed answer, as evaluations do.

    The embedded world's model knows its own form alone, and a question that says where its answer
    goes is not told twice.
    """
    own = problem.meta.get("source") == "abacus"
    told = f"{problem.context.get('system') or ''} {problem.question}"
    return problem.kind == "math" and not own and "\\boxed" not in told


def asked(problem: Problem, prompt: str, *, auto: bool) -> str:
    """The user's message; `auto`: whether the problem may decide on what `auto` asks."""
    boxed = prompt == AUTO and auto and asks_for_box(problem)
    template = PROMPTS["boxed"] if boxed else template_of(prompt)
    return template.replace("{question}", problem.question)
