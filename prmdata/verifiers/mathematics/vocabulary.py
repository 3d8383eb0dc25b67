"""The words that matter in a step's prose, and the units that convert into each other."""

from __future__ import annotations

import re


def words(text: str) -> frozenset[str]:
    return frozenset(text.split())


TIGHT_UNITS = words(
    "km cm mm kg mg lb lbs oz ft ml mph hr hrs min mins sec secs pts sq cents dollars"
)
"""Units that stand right after a number: `5km`."""
SHORT_WORDS = words(
    "a i an as at be by do go he if in is it me my no of on or so to up us we am pm each per "
    "the hr hrs sq oz ft lb kg km cm mm ml mg min sec pi mod"
)
"""Words of one or two letters, which are no product of variables."""
CUT_BEFORE = words(
    "and of times plus minus by over than twice half third thirds quarter quarters double "
    "triple two three four five six seven eight nine ten twelve twenty hundred thousand "
    "million root squared cubed modulo mod negative positive log from between or to not "
    "except remainder divided multiplied added subtracted power versus vs per percent"
)
"""Before a number, they may make it a part of something longer."""
NEAR_CUT_BEFORE = words("and from between or to two three four five six seven eight nine ten per")
"""Of these, what does so only where both stand in prose: `and $3 + 4 = 7$` is whole."""
FRACTIONS = words(
    "half third quarter fourth fifth sixth eighth tenth thirds quarters fourths fifths root "
    "twice triple double multiple power logarithm log percent percentage inverse negative "
    "opposite reciprocal remainder square cube"
)
"""Before `of`, they take a part or a multiple of what follows."""
LEADS_TO = words("so thus then hence therefore that get gives have is total equals exactly")
"""Words after which a number alone may begin an equality."""
CUT_AFTER = words(
    "times plus minus divided multiplied over hundred thousand million billion trillion dozen "
    "squared cubed mod modulo to or and choose remainder with base percent pi k r cubed half "
    "thirds quarters more less fewer of o'clock o’clock am pm noon midnight"
)
"""After a number, they may change what it stands for."""
DENIED = words(
    "not cannot neither nor never whether instead unless isn't doesn't can't don't aren't "
    "isn’t doesn’t can’t don’t"
)
"""What their sentence says is not asserted."""
SUPPOSED = words(
    "suppose supposing supposed assume assuming assumption hypothetically imagine pretend try "
    "trying guess guessing operation"
)
"""What follows them, to the end of the step, is not asserted."""
RETRACTED = words(
    "contradiction contradicts contradictory impossible absurd incorrect wrong mistake "
    "mistaken false error oops wait fails invalid extraneous inconsistent"
)
"""What their sentence and the two before it said is taken back."""
REPORTED = words(
    "claim claims claimed says said thinks thought believes believed writes wrote mistakenly "
    "incorrectly erroneously wrongly miscalculated miscalculates misread mistakes previously might "
    "supposedly allegedly"
)
"""What their sentence says is what somebody else holds, or held."""
UPHELD = words("correct right true accurate valid equal")
"""After a `not`, they deny all that their sentence says."""
ROUNDED = words(
    "round rounds rounded rounding nearest approximately approx roughly estimate estimated floor "
    "ceiling leftover"
)
"""Results beside them need not be exact."""
WHOLE = words(
    "full fully whole wholes complete completely completed entire entirely remainder remainders "
    "remain remains remaining left leftover leftovers over partial partially partly extra integer "
    "integers quotient multiple multiples least most enough cannot can't can’t only"
)
"""Near them a quotient may be meant as a whole number: `36/5 = 7 full pens`."""
FUNCTIONS = words(
    "sin cos tan cot sec csc arcsin arccos arctan sinh cosh tanh log ln lg exp max min gcd lcm hcf "
    "abs floor ceil ceiling round int mod sqrt cbrt det dim arg cis lim sum prod sign sgn choose "
    "ncr npr sine cosine tangent"
)
"""What stands before or after them is a part of a longer expression."""
NUMBERED = words(
    "year day week month quarter hour room box step part case question problem group team house "
    "number chapter page grade level round stage phase section figure equation table option row "
    "column line lane bag tank car person player student game test trial month side type layer"
)
"""A number right after them is a name: `Year 2 - 100 * 1.05 = 105`."""
ABOUT = words("about around nearly almost roughly approximately ~")
"""Right before a side, they make it an estimate."""
BECOMES = words(
    "simplifies reduces comes leads becomes amounts equivalent equal simplify reduce turns changes "
    "evaluates rearranges rearrange simplified reduced gets"
)
"""Before `to`, they say that what follows is the same, not the end of a range."""
CONDITIONS = words("if when unless whether provided")
"""What their clause says is not asserted."""
DOUBTS = DENIED | SUPPOSED | RETRACTED | CONDITIONS | ROUNDED | REPORTED
ENDS_UNITS = words(
    "is are was were has have had and or so then that which than if when because since but "
    "gives equals makes leaves times plus minus by hundred thousand million billion dozen "
    "half squared cubed mod modulo choose remainder more less fewer he she it they we am pm "
    "o'clock o’clock noon midnight"
)
"""They are no unit of the number before them."""
FOREIGN = re.compile(
    r"\bmod(?:ulo|ular|ulus)?\b|\\[pb]?mod\b|≡|\\equiv\b|[0-9]\s?_|\bbinary\b|\bhexadecimal\b|"
    r"\boctal\b|\bin base\b|"
    r"\bbase[- ]?\$?(?:[0-9]|two|three|four|five|six|seven|eight|nine|ten|sixteen)",
    re.IGNORECASE,
)
"""Numbers are not what they seem: another base, or a modulus."""
HYPOTHETICAL = words("for at when with case plug substitute substituting taking")
"""Before `x = 5`, they make it one of several cases."""
REWRITES = words(
    "expand expands expanding expanded expansion factor factors factoring factored factorise "
    "factorises factorize factorizes factorization distribute distributes distributing "
    "distributive foil multiplying simplify simplifies simplifying simplified simplification "
    "rewrite rewrites rewriting rewritten identity collecting combining"
)
"""What follows them is an expression in another form."""
DERIVES = words(
    "subtract subtracting subtracts add adding adds divide dividing divides multiply multiplies "
    "combine combined combines like isolate isolating moving move cancel cancelling canceling "
    "becomes reduces implies so thus hence therefore gives yields"
)
"""What follows them is drawn from the equation before them."""
OTHERS = words("other another also second different instead neither reject discard ignore note")
"""What their sentence says of an unknown may be one solution of several, or none."""
POSES = words(
    "equation equations sides side solve solving solves set sets setting let letting equate "
    "equating where root roots satisfies satisfy satisfying condition must want need given "
    "axis line lines asymptote vertex at intersect intersects intersection constraint requires"
)
"""What follows them may be an equation to be solved, or a place."""
PLACES = words("let letting set sets setting where at axis line lines asymptote vertex point since")
"""Before `x = 5`, they make it no solution."""
SOLVES = words(
    "and or implies leaving leaves obtain obtains yields yield giving find finds found solution "
    "value conclude see us means"
)
"""Like those that lead to a result, for a solution."""
NO_SOLUTION = words("no never impossible parallel inconsistent contradiction none cannot")
"""An equation that holds for nothing may be meant."""

_MEASURES = {
    "time": "second sec minute min hour hr day week month year decade am pm",
    "length": "inch in foot ft yard mile mi km cm mm meter metre kilometer centimeter millimeter",
    "weight": "ounce oz pound lb lbs ton kg mg gram kilogram milligram",
    "volume": "cup pint quart gallon liter litre ml milliliter teaspoon tablespoon",
    "money": "$ £ € dollar cent penny nickel dime quarter pence pound euro buck",
    "count": "dozen pair score gross couple",
    "angle": "degree radian revolution",
}
SCALES = {unit: name for name, units in _MEASURES.items() for unit in units.split()}
_ALIKE = {"$": "dollar", "\\$": "dollar", "hrs": "hour", "hr": "hour", "min": "minute"}
_ALIKE |= {"mins": "minute", "feet": "foot", "inches": "inch", "pennies": "penny", "ft": "foot"}
_ALIKE |= {"buck": "dollar", "secs": "second", "sec": "second", "lbs": "pound", "lb": "pound"}


def unit_name(word: str) -> str:
    """A unit's one name: `hours` → hour, `$` → dollar."""
    word = word.lower()
    word = _ALIKE.get(word, word)
    return word[:-1] if len(word) > 3 and word.endswith("s") else word
