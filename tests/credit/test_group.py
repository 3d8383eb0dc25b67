from __future__ import annotations

from tests.credit.cases import credit, form, paid


def test_siblings_follow_exactly_the_same_text() -> None:
    group = [
        paid(1.0, 4.0, steps=("a\n", "b"), name=0),
        paid(3.0, 9.0, steps=("c\n", "d"), name=1),
        paid(1.0, 0.0, steps=("a\n", "e"), name=2),
        paid(3.0, None, steps=("a \n", "e"), name=3),
    ]
    first, second, third, fourth = credit(form("group"), *group)
    assert first == (1.0 - 2.0, 4.0 - 2.0)
    assert second == (3.0 - 2.0, 0.0)  # nobody else goes on from "c\n"
    assert third == (1.0 - 2.0, 0.0 - 2.0)
    assert fourth == (3.0 - 2.0, None)


def test_scaled_siblings_have_a_deviation_of_one_and_equal_ones_none() -> None:
    unequal = [paid(0.0, name=0), paid(1.0, name=1)]
    assert credit(form("group", scale=True), *unequal) == [(-1.0,), (1.0,)]
    equal = [paid(0.1, name=n) for n in range(3)]
    assert credit(form("group", scale=True), *equal) == [(0.0,)] * 3


def test_alone_a_trace_earns_nothing() -> None:
    assert credit(form("group"), paid(5.0, -5.0)) == [(0.0, 0.0)]
    assert credit(form("turn"), paid(5.0, -5.0)) == [(0.0, 0.0)]
