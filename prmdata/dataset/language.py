"""In which language a text is, as far as its own words say so: for the tags of a card.

Only what is sure is said: English by its commonest words, Chinese, Japanese and Korean by their
scripts. A text of formulas has no language.
"""

from __future__ import annotations

import re
from collections import Counter

ENGLISH = {
    "a", "an", "and", "are", "at", "be", "by", "each", "find", "for", "from", "has", "have", "he",
    "how", "if", "in", "is", "it", "many", "much", "of", "on", "or", "she", "that", "the",
    "their", "there", "they", "this", "to", "was", "were", "what", "which", "with",
}  # fmt: skip
LEAST = 0.2
"""The share of such words in a text that is English."""
CERTAIN = 0.9
"""The share of texts with a language that have this one."""
_WORD = re.compile(r"[^\W\d_]+")
_SCRIPTS = (("ko", re.compile("[\uac00-\ud7af]")), ("ja", re.compile("[\u3040-\u30ff]")),
            ("zh", re.compile("[\u4e00-\u9fff]")))  # fmt: skip


def language(text: str) -> str | None:
    """`en`, `zh`, `ja`, `ko`, or `None` where the text does not say."""
    for name, letters in _SCRIPTS:
        if letters.search(text):
            return name
    words = _WORD.findall(text.lower())
    common = sum(word in ENGLISH for word in words)
    return "en" if len(words) >= 4 and common >= LEAST * len(words) else None


def languages(counts: Counter[str]) -> list[str]:
    """What nearly all texts are in; nothing where none leads or most do not say."""
    known = counts.total() - counts["unknown"]
    if not known or known < counts["unknown"]:
        return []
    return [name for name, n in counts.items() if name != "unknown" and n >= CERTAIN * known]
