"""The final answer of a solution, by one of three rules that a user can choose.

`boxed` reads `\\boxed{}` alone. `marked` also reads what is marked as the answer: `#### 72`,
"The answer is …", `<answer>72</answer>`, `A: 72`, bold type in the closing lines. `last` also reads
the last number or formula of the closing sentence. A mark counts more than a later number.

Braces are counted in one pass, and all but the box is looked for in the last pages of the text, by
patterns of bounded length: a hostile megabyte costs milliseconds.
"""

from __future__ import annotations

import re

from prmdata.grading import closing
from prmdata.grading.choices import chosen
from prmdata.records import AnswerRule

ANSWER_RULES: tuple[AnswerRule, ...] = ("boxed", "marked", "last")
BOX = 10_000
"""Characters that a box may hold."""
TAIL = 20_000
"""Characters from the end in which a mark is looked for."""
REST = 400
"""Characters that an answer may have."""

_TOKENS = re.compile(r"(?:<\|[^<>|]{1,40}\|>|</?s>|<eos>|<end_of_turn>|\[/?(?:EOS|INST)\]|\s)$")
_BOX = re.compile(r"\\(?:boxed|fbox)\s{0,9}(?:\{|([^\s${}\\]{1,100}))")
_BRACE = re.compile(r"[{}]")
_LINKED = re.compile(r"[\s$]{0,9}(?:\\text\{)?\s{0,3}(?:or|,?\s?and|,|;)\s{0,3}\}?[\s$]{0,9}")
_CALCULATED = re.compile(r"<<[^<>\n]{0,80}>>")
"""GSM8K's own notes to a calculator."""
_TAG = re.compile(r"<(?:final_?)?answer>(?P<rest>[^<]{1,400})(?:</(?:final_?)?answer>)?", re.I)
_BRACKET_TAG = re.compile(r"\[(?:final_?)?answer\](?P<rest>[^\[]{1,400})", re.I)
_HASHES = re.compile(r"####[ \t]{0,9}(?P<rest>[^\n]{1,400})")
_GAP = r"[ \t*_`:=>]{0,12}(?:[-–—][ \t]{1,3})?"
_SAID = re.compile(
    r"(?:answers?|result|solution)\b(?:"
    r"[^\n.:=<>]{0,80}?\b(?:is|are|was|would be|will be|should be|must be|equals)\b"
    r"|[a-zA-Z \t*_']{0,60}?(?:\([^()\n]{1,40}\))?[ \t*_]{0,3}[:=]"
    r"|(?=[ \t]{0,3}\*\*[ \t]{0,3}[^\s*]))"
    rf"{_GAP}(?=(?P<rest>\n{{0,3}}[^\n]{{1,400}}))",
    re.I,
)
_HEADED = re.compile(
    r"(?m)^[ \t]{0,3}(?:#{1,6}[ \t]{0,3})?[*_]{0,3}(?:the |final |correct )?(?:answer|ans)\b"
    r"[*_:. \t]{0,6}\n[\s*_]{0,9}(?P<rest>[^\s#][^\n]{0,400})",
    re.I,
)
_INITIAL = re.compile(
    rf"(?m)^[ \t]{{0,3}}[*_]{{0,3}}(?:A|Ans)[*_]{{0,3}}[:.]{_GAP}(?P<rest>[^\n]{{1,400}})"
)
_MARKS = (_TAG, _BRACKET_TAG, _HASHES, _SAID, _HEADED, _INITIAL)


def extract_answer(
    text: str, kind: str = "math", answers: AnswerRule = "last", parts: int = 1
) -> str | None:
    """What the text gives as its answer; `None` where it gives none that can be read.

    `parts`: how many the gold answer lists. So many boxes side by side are read as one list.
    """
    text = without_tokens(text)
    boxed = last_box(text, parts)
    if kind == "choice":
        return chosen(text[-TAIL:], boxed)
    if boxed is not None:
        return boxed.strip() or None
    if answers == "boxed":
        return None
    tail = _CALCULATED.sub("", _after_thoughts(text[-TAIL:]))
    found = _marked(tail, kind) or (closing.bold(tail) if kind == "math" else None)
    if found is None and answers == "last" and kind == "math":
        return closing.last_value(tail) or None
    return found or None


def without_tokens(text: str) -> str:
    """Without the special tokens at its end: `18<|im_end|>`."""
    end = len(text)
    for _ in range(20):
        end = len(text[:end].rstrip()) if text[end - 1 : end].isspace() else end
        found = _TOKENS.search(text, max(0, end - 50), end)
        if found is None:
            break
        end = found.start()
    return text[:end]


def _after_thoughts(tail: str) -> str:
    after = tail.rpartition("</think>")[2]
    return after if after.strip() else tail


def last_box(text: str, parts: int = 1) -> str | None:
    """The content of the last `\\boxed{…}`; `None` where there is none or it never closes."""
    boxes: list[str] = []
    end = len(text)
    for _ in range(max(parts, 2)):
        start = max(text.rfind("\\boxed", 0, end), text.rfind("\\fbox", 0, end))
        found = _box_at(text, start) if start >= 0 else None
        if found is None:
            break
        if boxes and not _joins(text[found[1] : end], parts):
            break
        boxes.append(found[0])
        end = start
    if not boxes:
        return None
    distinct = list(dict.fromkeys(reversed(boxes)))
    return ", ".join(distinct) if len(distinct) == parts or parts == 1 else boxes[0]


def _joins(between: str, parts: int) -> bool:
    """`\\boxed{18} or \\boxed{19}` are one answer; others only where several are asked for."""
    link = _LINKED.fullmatch(between)
    if link is not None and re.search(r"\bor\b", between):
        return True
    return parts > 1 and len(between) < 200 and "\n\n" not in between


def _box_at(text: str, start: int) -> tuple[str, int] | None:
    """The content of the box that starts here, and where it ends."""
    found = _BOX.match(text, start)
    if found is None:
        return None
    if found[1] is not None:
        return found[1], found.end()
    depth, at = 1, found.end()
    for mark in _BRACE.finditer(text, at, at + BOX):
        if text[mark.start() - 1] == "\\":  # \{ and \} are set braces
            continue
        depth += 1 if mark[0] == "{" else -1
        if depth == 0:
            return text[at : mark.start()], mark.end()
    return None


def _marked(tail: str, kind: str) -> str | None:
    """What follows the last mark that an answer follows."""
    marks = [m for pattern in _MARKS for m in pattern.finditer(tail)]
    for mark in sorted(marks, key=lambda mark: mark.start(), reverse=True):
        end = mark.end("rest") if mark.re in (_TAG, _BRACKET_TAG) else mark.start("rest") + REST
        if (answer := closing.reduced(tail[mark.start("rest") : end], kind)) is not None:
            return answer
    return None
