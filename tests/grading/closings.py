"""How people's models end a solution when nobody told them how; @ stands for the answer."""

from __future__ import annotations

ONE_LINE = r"""
So she makes **@** dollars.
**Final Answer**: @
**Final Answer:** @
**Final answer:** $@
## Final Answer: @
<answer>@</answer>
<answer>@
A: @
A: $@
A: @ apples.
**A:** @
Ans: @
Ans. @
Answer: @
ANSWER: @
Answer - @
**Answer:** @ dollars
The answer is **Hunter counted @ cars**
The answer is @
The answer is: @.
The answer is $@$.
The answer is \(@\).
The answer is **@**.
The answer is @ because 7 + 10 = 17.
The answer is @, which is 3 more than 7.
The answer is $@ per day.
The final answer is @.
The final answer is **$@**.
The correct answer is @ dollars.
The answer to the question is @.
The answer would be @.
Therefore, the answer = @
Final answer = @
Final result: @
**Result:** @
The total is @.
Janet sells 9 eggs at $2 each, so she makes 9 * 2 = $@.
Janet makes 9 * 2 = @ dollars every day.
So 9 \times 2 = @.
$9 \times 2 = @$
$$9 \times 2 = @$$
\[ 9 \times 2 = @ \]
\(9 \times 2 = @\)
Thus, the total cost is $@.
Thus, the total cost is \$@.
Thus, the total cost is **\$@**.
Thus, Hunter counted **@ cars** in total.
Thus, Hunter counted @ cars.
Hunter counted @ cars altogether.
Hunter counted @ cars, which answers the question!
So it takes @ minutes.
She will need @% of the cake.
It's @!
= @
@
@.
**@**
$@
@ dollars
@ eggs left over.
Therefore: @ apples
So, Natalia sold @ clips altogether in April and May.
In total there are @ people (7 + 10).
Hence the farmer has \( @ \) sheep.
Hence the farmer has $@$ sheep left.
Total = @
Total: @ dollars
**Total: @**
**Total**: @
- Total: @
1. Total: @
The total number of eggs is @ eggs.
#### @
#### $@
####@
The answer is @<|im_end|>
So the result is @</s>
So there are @ left.<|endoftext|>
Therefore, Mary has @ more marbles than John.
After 3 days he has @ apples.
He runs 3 miles in @ minutes.
On the 5th day he ran @ miles.
Let me check: 9*2=@ ✓
The answer is Rs. @
So she sold 48+24 = <<48+24=@>>@ clips.
所以，她有@个苹果。
答案是：@
| **Total** | **@** |
print(total)  # Output: @
So the final answer is @, not 20.
Thus she earned $@ (9 eggs x $2).
The answer is $\approx @$.
Each of the 4 friends gets @.
Each friend gets @ cookies.
So the price is @ euros (or €@).
The final answer: **@**
Final Answer: The final answer is $@$. I hope it is correct.
Final Answer: @ eggs
`@`
The answer is `@`.
> **Answer:** @
| Total | @ |
The value of x is @.
x = @
$x = @$
**x = @**
So $x = @$.
∴ x = @
✅ **Final Answer: @**
🎉 Final answer: **@ cars**
\text{Answer} = @
Answer: \(@\)
Answer: $@$
Answer: $$@$$
Answer: \[@\]
[ANSWER]@[/ANSWER]
Therefore, the total distance is 7 + 10 + 1 = @ km.
Therefore, he earned 7 × 10 = @.
Therefore, he earned 7 × 10 = $@ last month.
So Tom spent \( 7 + 10 = @ \) dollars.
Tom spent $7 + $10 = $@.
Tom spent $7 + $10 = $@ in total.
The answer is 7 + 10 = @.
**The answer is @.**
*Answer: @*
Solution: @
So Janet makes @ dollars at the farmers' market every day.
""".strip().split("\n")
SEVERAL_LINES = [
    "**Final Answer**\n\n@",
    "### Final Answer\n@",
    "### Final Answer\n\n**@**",
    "### Answer:\n@ apples",
    "<answer>\n@\n</answer>",
    "\\[\n9 \\times 2 = @\n\\]",
    "It equals @.\n\nI hope this helps!",
    "The answer is @.\n\nLet me know if you have any questions!",
    "The answer is:\n@",
    "The answer is:\n\n**@ dollars**",
    "So the answer is:\n\n$$@$$",
]
CLOSINGS = [*ONE_LINE, *SEVERAL_LINES]

HEDGES = r"""
So it is @ or 19.
The answer is @ or 19
The answer is between @ and 19.
The answer is @ million.
It is @ million dollars.
So the answer is @x.
So y = @x
So it's $@\pi$.
So it's @π.
He has @ dozen eggs.
The answer is -@.
So x = -@.
The answer is 1/@.
So the answer is 3/@
So \(x = 2\sqrt{@}\).
The answer is @.5
The answer is 1@
I don't know, maybe @ or 20
$@$ or $19$
The answer is $@$ or $19$.
The answer is **@ or 19**
So the ratio is @:19.
@^2
The answer is \frac{@}{19}
The answer is @,000
\boxed{@} or \boxed{19}
So $n = @!$
@k
The answer is not known.
I do not know.
""".strip().split("\n")
"""What mentions the number, and does not give it as the answer."""
