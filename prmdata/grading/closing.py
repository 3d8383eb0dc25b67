"""A phrase or a closing sentence → the number or formula that it ends on.

"So she makes **18** dollars." gives 18; "Hunter counted 35 cars" gives 35; "18 or 19" stays whole.
"""

from __future__ import annotations

import re

from prmdata.grading.reading import read

_WRAPPERS = (("$$", "$$"), ("$", "$"), ("\\(", "\\)"), ("\\[", "\\]"), ("**", "**"), ("`", "`"))
_END = re.compile(
    r"(?:(?<![\d\\])[.!](?=\s{1,3}[A-Z*(\\]|\s{0,3}$|\n|[A-Z*])|(?<=\d)[.!](?=[\s*]|$)|</?\w{1,20}>|[?\n])"
)
_SENTENCE = re.compile(r"(?<=[.!?])[\"*)]{0,3}\s{1,9}(?=[A-Z\\$*(\[\"<\d])|\n\s{0,99}")
_WORD = re.compile(r"(?<![\\a-zA-Z])[a-zA-Z]{2,}")
_COMMANDS = re.compile(r"\\(?:begin|end|text(?:bf|it)?|mathrm|mathbf|operatorname)\{[^{}]{0,100}\}")
_ROWS = re.compile(r"\\begin\{(?:[pbvBV]?matrix|array|cases)")
_JOINING = frozenset(
    ["or", "and", "sin", "cos", "tan", "log", "ln", "exp", "sqrt", "pi", "mod", "am", "pm"]
)
_ASIDE = re.compile(r"\s\([^()]{1,200}\)(?=[\s.!*]{0,6}$)")
_REASON = re.compile(
    r",? (?:because|since|as|which|where|when|given|so|if|after|for)\b|,\s(?!\d)|;|\s\("
)
_MATH = re.compile(
    r"\$\$([^$]{1,400})\$\$|\\\[(.{1,300}?)\\\]|\\\((.{1,300}?)\\\)|\$([^$\n]{1,300})\$", re.DOTALL
)
_MONEY = re.compile(r"\s?[\d.,]+\s+(?![\\=+*/^<>-])[a-zA-Z]")
_TOKEN = re.compile(r"\S{1,200}")
_DIGIT = re.compile(r"\d")
_MANY = re.compile(r"(?:dozen|hundred|thousand|million|billion|trillion)s?|percent|%")
_LINK = frozenset(("or", "and", "to", "&"))
_ORDINAL = re.compile(r"(\d+)(?:st|nd|rd|th)")
_HYPHENED = re.compile(r"([-+]?[$€£]?[\d,.]*\d)-[a-zA-Z]+(?:-[a-zA-Z]+)?")
_UNSPACED = re.compile(r"[\u3000-\u9fff\uac00-\ud7af\uff00-\uffef]")
"""Scripts that write a number and its noun without a space between them."""
_IN_TEXT = re.compile(r"-?\d[\d,]*(?:\.\d+)?")
_TRAILING = re.compile(r"[^\w)}%\]$€£\\]{1,20}$")
_ALIGNED = re.compile(
    r"\\begin\{(align|equation|gather|eqnarray|multline)\*?\}([^{}]{1,600})\\end\{\1\*?\}$"
)
_SPAN = re.compile(r"(?:second|minute|hour|day|week|month|year)s?")
_PLEASANT = re.compile(
    r"hope|let me know|feel free|question|help|great job|well done|good luck|thank|happy", re.I
)
_BOLD = re.compile(r"(?:\*\*|__)\s{0,3}([^*\n]{1,300}?)\s{0,3}(?:\*\*|__)(?!\s{0,3}:)")
_LINES = 2
"""Closing lines in which bold type marks the answer."""


def reduced(rest: str, kind: str = "math") -> str | None:
    """The answer at the start of what follows a mark."""
    rest = rest.strip().lstrip("*_:> \t").strip()
    for left, right in _WRAPPERS:
        if rest.startswith(left) and (end := _closing_mark(rest, left, right)) > 0:
            inner, after = rest[len(left) : end], rest[end + len(right) :]
            if left == "$" and _MONEY.match(inner):
                continue
            if kind != "math" or not _goes_on(after):
                return reduced(inner, kind) if left in ("**", "`") else inner.strip() or None
            break
    ended = _END.search(rest)
    phrase = rest[: ended.start()] if ended and ended.start() > 0 else rest
    phrase = phrase.strip(" *_`\"'").rstrip(".,;:")
    if not phrase or kind != "math":
        return phrase or None
    return _value(phrase)


def _closing_mark(rest: str, left: str, right: str) -> int:
    """Where the wrapper closes: displayed formulas may do so in a later line."""
    end = rest.find(right, len(left))
    while end > 0 and right[0] == "$" and rest[end - 1] == "\\":  # \$ is a dollar
        end = rest.find(right, end + 1)
    displayed = left in ("$$", "\\[")
    return end if displayed or "\n" not in rest[: max(end, 0)] else -1


def _goes_on(after: str) -> bool:
    """`$18$ or $19$`: the answer does not end with the first formula."""
    return re.match(r"\s{0,3}(?:or|and|,\s?(?=[$\d\\]))\s?", after) is not None


def _value(phrase: str) -> str | None:
    """A quantity, a list or a formula as it stands; of a phrase, its number."""
    prose = _COMMANDS.sub("", phrase)
    words = [word for word in _WORD.findall(prose) if word.casefold() not in _JOINING]
    if not words or read(phrase).shape == "number":
        return phrase
    if not _DIGIT.search(phrase):
        return phrase if len(words) <= 6 else None
    if _DIGIT.match(phrase.lstrip("$€£-+*\\( ")):
        lead = phrase[: found.start()] if (found := _REASON.search(phrase)) else phrase
        if read(lead).shape == "number":
            return lead
        return last_in(lead) or last_in(phrase)
    return last_in(phrase)


def bold(tail: str) -> str | None:
    """What stands in bold type in the closing lines, where it holds a number or formula."""
    lines = [line for line in tail.rstrip().split("\n")[-12:] if line.strip()]
    for line in reversed(lines[-_LINES:]):
        for found in reversed(list(_BOLD.finditer(line[-2000:]))):
            inner = found[1].strip()
            if _DIGIT.search(inner) and not inner.endswith(":"):
                return reduced(inner)
    return None


def last_value(tail: str) -> str | None:
    """The last number or formula of the closing sentence."""
    tail = tail.rstrip()[-2000:]
    formula = _closing_formula(tail)
    if formula is not None:
        return formula
    paragraphs = [p for p in re.split(r"\n\s{0,99}\n", tail) if p.strip()]
    sentences = [s for p in paragraphs[-3:] for s in _SENTENCE.split(p) if s.strip(" *_`#-\n")]
    for sentence in reversed(sentences[-3:]):
        if (found := last_in(sentence)) is not None:
            return found
        if not _PLEASANT.search(sentence) and _WORD.search(sentence):
            return None
    return None


def _closing_formula(tail: str) -> str | None:
    """A displayed formula at the very end."""
    end = tail.rstrip(" .\n*")
    if (aligned := _ALIGNED.search(end)) is not None:
        return _last_side(aligned[2])
    for left, right in (("\\[", "\\]"), ("$$", "$$"), ("\\(", "\\)")):
        if end.endswith(right):
            start = end.rfind(left, 0, len(end) - len(right))
            inner = end[start + len(left) : -len(right)].strip() if start >= 0 else ""
            if inner and len(inner) <= 400:
                return _last_side(inner)
    return None


def _last_side(formula: str) -> str:
    """Of `9*2 = 18`, what it comes to."""
    for mark in ("\\implies", "\\Rightarrow", "\\approx"):
        formula = formula.rpartition(mark)[2].strip() or formula
    formula = formula.strip().rstrip(" .")
    if _ROWS.search(formula):
        return formula
    formula = re.sub(r"\\\\\s*$|\\(?:begin|end)\{\w{1,20}\*?\}", "", formula).strip()
    lines = re.split(r"\\\\", formula)
    last = lines[-1].replace("&", "").strip() or formula
    sides = last.split("=")
    return (sides[-1].strip() or last) if len(sides) > 2 or last.startswith("=") else last


def last_in(sentence: str) -> str | None:
    """The last number or formula of a sentence."""
    sentence = sentence.strip()
    shorter = _ASIDE.sub("", sentence)
    if _DIGIT.search(shorter):
        sentence = shorter
    spans = [m for m in _MATH.finditer(sentence) if not (m[4] and _MONEY.match(m[4]))]
    last = spans[-1] if spans else None
    after = sentence[last.end() :] if last else sentence
    if (found := _last_number(after, whole=last is None)) is not None and last is None:
        return found
    if last is not None:
        inner = next(group for group in last.groups() if group is not None).strip()
        if found is not None and not _SPAN.search(after):
            return found
        if _DIGIT.search(inner) or not _DIGIT.search(sentence[: last.start()]):
            joined = _joined(sentence, spans)
            return joined or _last_side(inner)
        return _last_number(sentence[: last.start()]) or inner
    return found


def _joined(sentence: str, spans: list[re.Match[str]]) -> str | None:
    """`$18$ or $19$` is one answer."""
    if len(spans) < 2:
        return None
    between = sentence[spans[-2].end() : spans[-1].start()].strip()
    both = sentence[spans[-2].start() : spans[-1].end()]
    return both if between in ("or", "and", ",", ", and") else None


def _last_number(text: str, *, whole: bool = True) -> str | None:
    formula = _TRAILING.sub("", text.rpartition("=")[2].strip())
    if whole and "=" in text and _DIGIT.search(formula) and not _WORD.search(formula):
        return formula
    tokens = [m[0] for m in _TOKEN.finditer(text)]
    places = [i for i, token in enumerate(tokens) if _DIGIT.search(token)]
    places = [i for i in places if not _is_label(tokens, i)]
    if not places:
        return None
    return _number_at(tokens, places[-1])


def _is_label(tokens: list[str], at: int) -> bool:
    """`Step 3`, `(2)` at the start of a list item, `Equation 5`."""
    before = tokens[at - 1].casefold().strip("*#") if at else ""
    numbered = at == 0 and len(tokens) > 1 and re.fullmatch(r"\d{1,2}[.):]", tokens[0])
    return bool(numbered) or before in ("step", "equation", "part", "case", "figure", "question")


def _number_at(tokens: list[str], at: int) -> str:
    """The number with what belongs to it: `5 million`, `3 1/2`, `18 or 19`."""
    number = _bare(tokens[at])
    if at + 1 < len(tokens) and _MANY.fullmatch(_bare(tokens[at + 1])):
        number = f"{number} {_bare(tokens[at + 1])}"
    if at and re.fullmatch(r"\d+/\d+", number) and re.fullmatch(r"-?\d+", tokens[at - 1]):
        number = f"{tokens[at - 1]} {number}"
    if at > 1 and tokens[at - 1] in _LINK and re.fullmatch(r"[$\d][\d.,]*", tokens[at - 2]):
        number = f"{tokens[at - 2].rstrip(',')} {tokens[at - 1]} {number}"
    return number


def _bare(token: str) -> str:
    token = re.sub(r"<[^<>]{0,40}>", "", token)
    token = token.strip(" ,;:!?\"'*_`").rstrip(".")
    if token.count("(") != token.count(")"):
        token = token.strip("()")
    if (ordinal := _ORDINAL.fullmatch(token)) is not None:
        return ordinal[1]
    hyphened = _HYPHENED.fullmatch(token)
    if hyphened is None and _UNSPACED.search(token):
        numbers = _IN_TEXT.findall(token)
        return numbers[-1] if numbers else token
    return hyphened[1] if hyphened else token
