r"""`--steps auto` on ten styles of solution. ‖ stands where a person would end a step."""

from __future__ import annotations

import time

import pytest

from prmdata.records import Trace
from prmdata.traces.steps import splitter

STYLES = {
    "gsm8k": """\
Janet sells 16 - 3 - 4 = <<16-3-4=9>>9 duck eggs a day.
‖She makes 9 * 2 = $<<9*2=18>>18 every day at the farmer's market.
‖#### 18""",
    "qwen-math": r"""To find the value of $x$, we start from the given equation:
\[ 3x + 5 = 20 \]

‖First, subtract 5 from both sides. This gives:
\[
3x = 20 - 5
\]
\[
3x = 15
\]

‖Next, divide both sides by 3, so that

\[ x = \frac{15}{3} = 5 \]

where 3 is not zero.

‖Therefore, the value of $x$ is $\boxed{5}$.""",
    "tora": r"""Let's solve it with Python.
```python
from sympy import symbols, solve

def solution():
    x = symbols('x')

    # Set up: 3x + 5 = 20.
    return solve(3*x + 5 - 20, x)

print(solution())
```
```output
[5]
```
‖The equation has one root. So I check it.
```python
print(3*5 + 5)
```
```output
20
```
‖The answer is $\boxed{5}$.""",
    "markdown": """\
# Solution

## Step 1: Eggs per day

The ducks lay 16 eggs. She uses 3 + 4 = 7 of them.

‖## Step 2: Eggs sold

16 - 7 = 9

‖## Step 3: Earnings

**Formula:** eggs times price.

‖- 9 eggs
- $2 each

‖So she earns 9 * 2 = 18 dollars.

‖### Final Answer
18""",
    "paragraph": """\
Each day Dr. Janet's ducks lay 16 eggs.‖ She eats 3 for breakfast at 7 a.m. and bakes with 4, \
which leaves 16 - 3 - 4 = 9 eggs.‖ At $2.50 each, i.e. the usual price, that would be 22.5 \
dollars.‖ Wait. But the price is $2!‖ So she makes 9 * 2 = 18 dollars.""",
    "bullets": """\
Here is what we know:
- The ducks lay 16 eggs.
‖- She eats 3 and bakes 4:
  - 3 + 4 = 7
  - 16 - 7 = 9
‖- She sells 9 eggs for $2, so 9 * 2 = 18.

‖**Answer: 18**""",
    "numbered": """\
To find her earnings, we follow these steps:

1. **Calculate the eggs left:**
   \\[
   16 - 3 - 4 = 9
   \\]
   So 9 eggs are left.

‖2. **Calculate the earnings:**

   She sells each for $2:

   $9 \\times 2 = 18$

‖3. Check that no egg was lost, which is so.
‖4. Conclude.

‖Thus, she makes **18** dollars.""",
    "thinking": """\
<think>
Okay, so the ducks lay 16 eggs.

‖She eats 3 and bakes 4. So that's
16 - 7 = 9.

‖Hmm, wait. Is it 9? Yes.
</think>

‖**Eggs left:**
16 - 3 - 4 = 9.

‖**Earnings:**
9 * 2 = 18.

‖\\boxed{18}""",
    "table": """\
We list the eggs in a table.

| use | eggs |
|---|---|
| breakfast | 3 |
| baking | 4 |

‖The sum of the second column is 7, so 16 - 7 = 9 are left.

‖She makes 9 * 2 = 18 dollars.""",
    "align": r"""We complete the square.
\begin{align*}
x^2 + 6x + 5 &= (x + 3)^2 - 9 + 5 \\[4pt]

&= (x + 3)^2 - 4.
\end{align*}
‖Hence the minimum is
$$
-4,
$$
taken at $x = -3.$ So the answer is $\boxed{-4}$.""",
    "dialogue": """\
Teacher: How many eggs are left?
‖Student: 16 - 3 - 4, which is 9.
‖Teacher: And what does she earn?
‖Student: Let me see:
9 * 2 = 18.
‖Teacher: Right. The answer is 18.""",
}


@pytest.mark.parametrize("style", STYLES)
def test_steps_end_where_a_person_would_end_them(style: str) -> None:
    marked = STYLES[style]
    assert splitter("auto")(marked.replace("‖", "")) == marked.split("‖")


@pytest.mark.parametrize(
    "marked",
    [
        "Step 1: Find the eggs used\n3 + 4 = 7\n‖Step 2: Find those left\n16 - 7 = 9\n‖So 9.",
        r"Let $x = \sqrt{2}.$‖ Then $x^2 = 2.$‖ Squaring gives \[x^4 = 4.\]‖ Hence, $x^4 - 4 = 0,$ and "
        r"so the answer is $\boxed{4}.$",
        r"We know that \(a + b = 3.\)‖ \(b\) is 2, as was said in the question that we have here.‖ $a$ is 1."
        r"‖ So the answer is 1, which is odd.",
        "Here is how:\n\n* **Used:** 3 for breakfast and 4 for muffins, 3 + 4 = 7.\n‖* **Left:** What she can sell is "
        "16 - 7 = 9.\n\n‖So **9** eggs are left.",
        "### 1. Used\n- Breakfast: 3\n- Muffins: 4\n\n\\[\n3 + 4 = 7\n\\]\n\n‖### 2. Left\n\\[\n16 - 7 = 9\n\\]\n\n"
        "‖**Answer:** 9",
        "She uses:\n\\[\n3 + 4 = 7\n\\]\n\n‖Then she has:\n\n$16 - 7 = 9$\n\n‖and she sells:\n\n9",
    ],
)
def test_more_ways_of_writing(marked: str) -> None:
    assert splitter("auto")(marked.replace("‖", "")) == marked.split("‖")


def test_traces_of_the_embedded_world_fall_into_lines(traces: list[Trace]) -> None:
    for trace in traces:
        assert splitter("auto")(trace.text) == splitter("lines")(trace.text)


@pytest.mark.parametrize(
    ("text", "steps"),
    [
        ("A cut program:\n```python\nx = 1\n\ny = 2", 1),
        ("```\nx = 1\n\ny = 2", 2),  # nothing closes it, and nothing says that it is code
        ("We get \\[ x = 3\n\nSo 4.\n\nThen 5.", 3),  # never closed
        ("Costs $$5\n\nand then\n\nsix.", 3),
        ("a\n\n```\nb\n\nc\n```\n\nD.", 2),
        ("It is \\(3. And 4\\). " + "So it goes on for a while. " * 4, 5),
        ("[asy]\ndraw(A);\n\ndraw(B);\n[/asy]\nSo it is 4.", 2),
        ("The matrix is\n\\begin{pmatrix} 1 \\\\[2pt]\n\n2 \\end{pmatrix}\nSo.", 2),
    ],
)
def test_code_and_formulas_are_whole_and_stray_marks_are_text(text: str, steps: int) -> None:
    assert len(splitter("auto")(text)) == steps


@pytest.mark.parametrize("number", ["1.", "12.", "Dr.", "e.g.", "7 p.m."])
def test_a_point_that_ends_no_sentence(number: str) -> None:
    text = f"{number} Then we add 3 and 4, which gives 7 apples in the end, and that is the answer."
    assert len(splitter("sentences")(text)) == 1


WORST = (
    "</think> ",
    "x</think>\n",
    "```\n",
    "$$",
    "\\[\\(",
    "\n",
    "a\n\n",
    "1. a\n",
    ". A",
    "。",
    ". (",
)


@pytest.mark.parametrize("unit", WORST)
def test_the_worst_text_takes_linear_time(unit: str) -> None:
    taken = {}
    for size in (100_000, 400_000):
        text = "The answer is" + unit * (size // len(unit))
        start = time.process_time()
        for how in ("auto", "auto,max=100"):
            assert sum(map(len, splitter(how)(text))) == len(text)
        taken[size] = time.process_time() - start
    assert taken[400_000] < 8 * taken[100_000] + 0.5  # a quadratic one takes 16 times as long
