"""The final answer of a solution: the last `\\boxed{}`, `#### 72`, "the answer is …" or `# Answer`.

Braces are balanced by counting, in one pass: two boxes never merge, and a hundred thousand
brackets cost no more than a hundred thousand characters.
"""

from __future__ import annotations

import re

_BOX = re.compile(r"\\(?:boxed|fbox)\s*\{|\\boxed\s+([^\s${}\\]+)")
_HASHES = re.compile(r"####[ \t]*([^\n]+)")
_SAID = re.compile(
    r"(?:final\s+)?answer\s*(?:is\s*:?|:|=)\s*(?=(?P<rest>[^\n]{1,400}))", re.IGNORECASE
)
_HEADED = re.compile(
    r"(?m)^#+[ \t]*Answer:?[ \t]*\n\s{0,9}(?=[^\s#])([^\n]{1,400})$", re.IGNORECASE
)
_CHOICE = re.compile(r"(?:\(|\b)([A-J])(?:\)|\.|:|\b(?![a-z']))")
_CHOICE_SAID = re.compile(
    r"(?:answer|option|choice)\s*(?:is|:)?\s*\**\(?([A-J])\)?(?![a-zA-Z])", re.IGNORECASE
)
_CLOSING = re.compile(r"(?:\.(?=\s|$|[A-Z*])|</?\w+>).*", re.DOTALL)


def extract_answer(text: str, kind: str = "math") -> str | None:
    """What the text gives as its answer; `None` where it gives none that can be read."""
    boxed = last_box(text)
    if kind == "choice":
        return _choice(text, boxed)
    if boxed is not None:
        return boxed.strip() or None
    hashes = list(_HASHES.finditer(text))
    said = list(_SAID.finditer(text))
    if hashes and (not said or hashes[-1].start() > said[-1].start()):
        return hashes[-1][1].strip() or None
    headed = list(_HEADED.finditer(text))
    if headed and (not said or headed[-1].start() > said[-1].start()):
        return _clean(headed[-1][1])
    return _clean(said[-1]["rest"]) if said else None


def last_box(text: str) -> str | None:
    """The content of the last `\\boxed{…}`; `None` where there is none or it never closes."""
    boxes = list(_BOX.finditer(text))
    found = boxes[-1] if boxes else None
    if found is None:
        return None
    if found[1] is not None:
        return found[1]
    depth, at = 1, found.end()
    for mark in re.compile(r"[{}]").finditer(text, at):
        if text[mark.start() - 1] == "\\":  # \{ and \} are set braces
            continue
        depth += 1 if mark[0] == "{" else -1
        if depth == 0:
            return text[at : mark.start()]
    return None


def _clean(rest: str) -> str | None:
    """The answer at the start of a sentence's rest, without its wrapping."""
    rest = rest.strip().lstrip("*_ ").strip()
    for left, right in (("$$", "$$"), ("$", "$"), ("\\(", "\\)"), ("\\[", "\\]"), ("**", "**")):
        if rest.startswith(left) and (end := rest.find(right, len(left))) > 0:
            return rest[len(left) : end].strip() or None
    rest = _CLOSING.sub("", rest).strip(" *_`\"'")
    return rest or None


def _choice(text: str, boxed: str | None) -> str | None:
    if boxed is not None:
        inner = re.sub(r"\\(?:text|mathrm|textbf|mathbf)\s*", "", boxed).strip("{}() .")
        return inner[0].upper() if re.fullmatch(r"[A-Ja-j](?:[).:]?\s.*)?", inner) else None
    said = _CHOICE_SAID.findall(text)
    if said:
        return str(said[-1]).upper()
    lines = [line for line in text.strip().splitlines() if line.strip()]
    alone = _CHOICE.match(lines[-1].strip()) if lines else None
    return alone[1] if alone else None
