"""Answers in words: SQuAD's normalisation, exact match and F1, the best over several golds."""

from __future__ import annotations

import re
import string
from collections import Counter
from collections.abc import Sequence

from prmdata.grading.closing import reduced
from prmdata.grading.extraction import REST, TAIL, extract_answer, last_box, without_tokens
from prmdata.records import AnswerRule

_ARTICLE = re.compile(r"\b(?:a|an|the)\b")
_PUNCTUATION = re.compile(rf"[{re.escape(string.punctuation)}‘’´`“”]")
_COMMAND = re.compile(r"\\(?:text(?:bf|it)?|mathrm|mathbf)\s?\{([^{}]{0,400})\}")


def answer_in_words(text: str, rule: AnswerRule = "last") -> str | None:
    """A marked answer; else, where the rule takes the closing sentence, the last line."""
    marked = last_box(text) if rule == "boxed" else extract_answer(text, "text", "marked")
    if marked is not None:
        return _COMMAND.sub(r"\1", marked).strip() or None
    if rule != "last":
        return None
    line = without_tokens(text)[-TAIL:].rstrip().rpartition("\n")[2].strip()
    return (reduced(line, "text") or line)[:REST] or None


def normalised(text: str) -> str:
    """Lower case, no punctuation, no articles, single spaces."""
    bare = _PUNCTUATION.sub("", text.casefold())
    return " ".join(_ARTICLE.sub(" ", bare).split())


def exact_match(answer: str, golds: Sequence[str]) -> bool:
    return any(normalised(answer) == normalised(gold) for gold in golds)


def f1(answer: str, golds: Sequence[str]) -> float:
    """How many words the answer and the nearest gold answer share, as F1."""
    return max(_f1(normalised(answer).split(), normalised(gold).split()) for gold in golds)


def _f1(answer: Sequence[str], gold: Sequence[str]) -> float:
    if not answer or not gold:
        return float(answer == gold)
    closed = {"yes", "no", "noanswer"}
    if answer != gold and (closed & {" ".join(answer), " ".join(gold)}):
        return 0.0
    shared = sum((Counter(answer) & Counter(gold)).values())
    return 2 * shared / (len(answer) + len(gold))
