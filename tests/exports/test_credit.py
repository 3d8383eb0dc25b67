"""Rows whose steps are paid, in plain columns and in those of trainers; hostile tokenizers."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tokenizers import Tokenizer, decoders, models, normalizers

import prmdata
from prmdata.errors import InputError, UsageError
from prmdata.exports.contract import LeftOut
from prmdata.exports.credit import Credit
from prmdata.exports.shapes.paid import LAYOUTS, TREES
from prmdata.records import Evidence, Origin, Step, Tally, Trace
from prmdata.sampler import ABACUS_MODEL
from tests.exports.cases import RIGHT, WRONG, exported

ABACUS = str(ABACUS_MODEL)
VALUES = Evidence("mc", "rollouts", (0.75, 0.25, 0.0))
TALLY = Tally(4, right=2, wrong=2)


def paid(trace: Trace, *advantages: float | None, **settings: Any) -> Trace:
    told = {"of": "mc", "kind": "values", "form": "td", **settings}
    return replace(trace.with_evidence(VALUES), group=TALLY).with_evidence(
        Evidence("credit", "scores", rewards=advantages, settings=told)
    )


PAID = paid(WRONG, 0.25, -0.5, -0.25)


def test_plain_rows_hold_rewards_advantages_outcome_and_group(tmp_path: Path) -> None:
    loaded, counts = exported(tmp_path, "credit", [PAID])
    (row,) = loaded
    assert row["prompt"] == [{"role": "user", "content": "What is 3 + 4 * 2?"}]
    assert "".join(row["completions"]) == WRONG.text
    assert row["step_rewards"] == [0.75, 0.25, 0.0]
    assert row["step_advantages"] == [0.25, -0.5, -0.25]
    assert (row["outcome"], row["group"]) == (0.0, "p")
    assert row["credit"] == "credit td of mc"
    assert counts["advantages: credit td of mc"] == 1


def test_without_credit_values_give_their_change_and_rewards_stand_as_they_are() -> None:
    row = Credit().row(replace(PAID, evidence=(VALUES,)))
    assert (row["step_advantages"], row["credit"]) == ([0.25, -0.5, -0.25], "td of mc")
    own = Evidence("next-step", "rollouts", rewards=(0.5, -0.5, 0.0))
    row = Credit().row(replace(PAID, evidence=(VALUES, own)))
    assert (row["step_advantages"], row["credit"]) == ([0.5, -0.5, 0.0], "rewards of next-step")


def test_unknown_credit_is_left_out_or_counts_as_nothing_and_is_counted(tmp_path: Path) -> None:
    unknown = paid(WRONG, None, 1.0, None)
    with pytest.raises(LeftOut, match="unknown credit"):
        Credit().row(unknown)
    _, counts = exported(tmp_path, "credit", [PAID, unknown], {"unknown": "zero"})
    assert counts["steps of unknown credit, counted as 0"] == 2
    with pytest.raises(InputError, match="unknown=zero"):
        exported(tmp_path, "credit", [unknown])


def test_nothing_to_pay_from_is_said_with_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="prmdata estimate"):
        exported(tmp_path, "credit", [replace(RIGHT, labels=None)])


def test_the_tokens_of_a_step_share_its_advantage() -> None:
    row = Credit(tokenizer=ABACUS).row(PAID)
    tokenizer = Tokenizer.from_file(f"{ABACUS}/tokenizer.json")
    assert tokenizer.decode(row["completion_ids"], skip_special_tokens=True) == WRONG.text
    for (start, end), step, advantage, reward in zip(
        row["step_spans"], WRONG.steps, (0.25, -0.5, -0.25), (0.75, 0.25, 0.0), strict=True
    ):
        ids = row["completion_ids"][start:end]
        assert tokenizer.decode(ids, skip_special_tokens=True) == step.text
        assert sum(row["token_advantages"][start:end]) == pytest.approx(advantage)
        assert row["token_rewards"][start:end] == [0.0] * (end - start - 1) + [reward]
    assert row["completion_ids"][-1] == tokenizer.token_to_id("<eos>")
    cut = Credit(tokenizer=ABACUS).row(replace(PAID, finish="length"))
    assert cut["completion_ids"] == row["completion_ids"][:-1]
    prompt = tokenizer.decode(row["prompt_ids"], skip_special_tokens=False)
    assert prompt == "<bos>Question: What is 3 + 4 * 2?\n"


@pytest.mark.parametrize("spread", ["even", "each", "last"])
def test_spreads(spread: Any) -> None:
    row = Credit(tokenizer=ABACUS, spread=spread).row(PAID)
    start, end = row["step_spans"][1]
    found = row["token_advantages"][start:end]
    expected = {
        "even": [-0.5 / (end - start)] * (end - start),
        "each": [-0.5] * (end - start),
        "last": [0.0] * (end - start - 1) + [-0.5],
    }
    assert found == pytest.approx(expected[spread])


def test_retokenized_text_is_compared_with_what_was_sampled(tmp_path: Path) -> None:
    row = Credit(tokenizer=ABACUS).row(PAID)
    sampled = replace(PAID, origin=Origin(tokens=len(row["completion_ids"])))
    other = replace(PAID, origin=Origin(tokens=7))
    settings = {"tokenizer": ABACUS}
    _, counts = exported(tmp_path, "credit", [sampled, other], settings)
    assert counts["traces in other tokens than were sampled"] == 1


def characters(folder: Path, text: str, *merges: tuple[str, str], lower: bool = False) -> str:
    """A tokenizer with a chat template: a token for each character, and for each merge."""
    pieces = sorted({*text, *text.lower()}) + ["".join(merge) for merge in merges]
    vocabulary = {piece: number for number, piece in enumerate(pieces)}
    made = Tokenizer(models.BPE(vocabulary, list(merges)))
    made.decoder = decoders.Fuse()
    if lower:
        made.normalizer = normalizers.Lowercase()
    made.save(str(folder / "tokenizer.json"))
    template = "{% for m in messages %}{{ m['content'] }}{% endfor %}"
    (folder / "tokenizer_config.json").write_text(json.dumps({"chat_template": template}))
    return str(folder)


ALL = WRONG.problem.question + WRONG.text


def test_a_token_across_a_step_belongs_where_it_begins_and_is_counted(tmp_path: Path) -> None:
    row = Credit(tokenizer=characters(tmp_path, ALL, ("8", "\n"), ("8\n", "3"))).row(PAID)
    assert row["across"] == 1
    assert row["step_spans"][:2] == [[0, 9], [9, 9 + len("3 + 8 = 12\n\n") - 1]]
    assert row["step_spans"][-1][1] == len(row["completion_ids"])
    assert sum(row["token_advantages"]) == pytest.approx(-0.5)


def test_a_step_swallowed_by_a_token_is_left_out(tmp_path: Path) -> None:
    folder = characters(tmp_path, ALL + "abcd", ("a", "b"), ("ab", "c"))
    with pytest.raises(LeftOut, match="without a token of its own"):
        Credit(tokenizer=folder).row(replace(PAID, steps=tuple(map(Step, ("ab", "c", "d")))))


def test_a_tokenizer_that_changes_the_text_is_found_out(tmp_path: Path) -> None:
    with pytest.raises(LeftOut, match="does not give its text back"):
        Credit(tokenizer=characters(tmp_path, ALL, lower=True)).row(PAID)


def test_long_traces_and_chats_with_tools_have_no_tokens_here() -> None:
    with pytest.raises(LeftOut, match="longer than 5 tokens"):
        Credit(tokenizer=ABACUS, max_tokens=5).row(PAID)
    turn = ({"role": "assistant", "content": "4 * 2 = 8"},)
    acting = replace(PAID, steps=(replace(PAID.steps[0], messages=turn), *PAID.steps[1:]))
    with pytest.raises(LeftOut, match="chat with tools"):
        Credit(tokenizer=ABACUS).row(acting)


def test_tokens_need_a_tokenizer() -> None:
    with pytest.raises(UsageError, match="tokenizer=FOLDER"):
        Credit(layout="verl")
    with pytest.raises(UsageError, match=r"tokenizer_config\.json, or a hub id"):
        Credit(tokenizer="/nowhere/at/all").row(PAID)
    with pytest.raises(UsageError, match="max_tokens"):
        Credit(max_tokens=5)


@pytest.mark.parametrize("layout", [layout for layout in LAYOUTS if layout not in TREES])
def test_every_layout_fills_its_schema(layout: Any, tmp_path: Path) -> None:
    settings = {"layout": layout, "tokenizer": ABACUS}
    loaded, _ = exported(tmp_path, "credit", [PAID, paid(RIGHT, 0.0, 0.5, 0.0)], settings)
    assert set(loaded.column_names) >= {"credit", "trace_id"}
    assert not any(
        value is None for row in loaded for name, value in row.items() if name != "drift"
    )


def test_what_trainers_read_as_rewards_is_the_credit_or_the_rewards() -> None:
    plain = Credit(tokenizer=ABACUS).row(PAID)
    ends = [end - 1 for _, end in plain["step_spans"]]
    before = len(plain["prompt_ids"])
    for pay, expected in (("credit", [0.25, -0.5, -0.25]), ("rewards", [0.75, 0.25, 0.0])):
        verl = Credit("verl", ABACUS, pay=pay).row(PAID)  # type: ignore[arg-type]
        assert [verl["rm_scores"][end] for end in ends] == expected
        skyrl = Credit("skyrl", ABACUS, pay=pay).row(PAID)  # type: ignore[arg-type]
        assert skyrl["rewards"] == verl["rm_scores"]
        areal = Credit("areal", ABACUS, pay=pay).row(PAID)  # type: ignore[arg-type]
        assert areal["step_rewards"] == [0.0] * before + verl["rm_scores"]
        assert areal["turn_rewards"] == expected
        assert areal["loss_mask"] == [0] * before + [1] * len(verl["responses"])
        marks = [areal["turn_ids"].index(turn) - before for turn in range(3)]
        assert marks == [start for start, _ in plain["step_spans"]]


def test_nemo_gym_is_paid_by_the_turn() -> None:
    row = Credit("nemo-gym").row(PAID)
    assert row["step_rewards"] == [-0.5]
    assert row["response"]["output"] == [
        {"type": "message", "role": "assistant", "content": WRONG.text}
    ]
    call = {"id": "c1", "type": "function", "function": {"name": "add", "arguments": {"x": 1}}}
    turns = (
        {"role": "assistant", "content": "Let me see.", "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "c1", "content": "8"},
    )
    last = ({"role": "assistant", "content": "It is 12."},)
    steps = (
        PAID.steps[0],
        replace(PAID.steps[1], messages=turns),
        replace(PAID.steps[2], messages=last),
    )
    row = Credit("nemo-gym").row(replace(PAID, steps=steps))
    assert row["step_rewards"] == [-0.25, -0.25]
    kinds = [item["type"] for item in row["response"]["output"]]
    assert kinds == ["message", "function_call", "function_call_output", "message"]
    assert row["response"]["output"][1]["arguments"] == '{"x":1}'


def test_nemo_rl_has_the_tokens_of_both_messages_and_credit_on_the_answer() -> None:
    plain = Credit(tokenizer=ABACUS).row(PAID)
    asked, said = Credit("nemo-rl", ABACUS).row(PAID)["message_log"]
    assert asked["token_ids"] == plain["prompt_ids"]
    assert said["token_ids"] == plain["completion_ids"]
    assert said["advantages"] == plain["token_advantages"]
    assert not any(asked["token_loss_mask"] + asked["advantages"])
    for message in (asked, said):
        lengths = {len(message[name]) for name in ("token_ids", "token_loss_mask", "advantages")}
        assert len(lengths) == 1
    assert all(said["token_loss_mask"])


def test_a_trace_of_verifiers_has_credit_on_the_tokens_that_were_sampled(tmp_path: Path) -> None:
    target = tmp_path / "traces.jsonl"
    settings = {"layout": "verifiers", "tokenizer": ABACUS}
    prmdata.export([PAID], output=str(target), to="credit", settings=settings)
    trace = json.loads(target.read_text())
    plain = Credit(tokenizer=ABACUS).row(PAID)
    asked, said = trace["nodes"]
    assert (asked["parent"], said["parent"], said["sampled"]) == (None, 0, True)
    assert asked["token_ids"] + said["token_ids"] == plain["prompt_ids"] + plain["completion_ids"]
    assert said["advantages"] == plain["token_advantages"]
    assert len(said["advantages"]) == sum(said["mask"])
    assert trace["rewards"] == {"outcome": {"score": 0.0, "weight": 1.0}}
    with pytest.raises(UsageError, match="jsonl"):
        prmdata.export([PAID], output=str(tmp_path / "d"), to="credit", settings=settings)


def test_sampled_traces_are_told_in_the_tokens_that_they_were_sampled_in(tmp_path: Path) -> None:
    """Those of the embedded models that are frozen in a recipe: no token more, none fewer, and none
    across the end of a step."""
    data = Path(__file__).parents[2] / "recipes" / "compare_methods" / "data"
    paths = sorted(data.glob("*traces.parquet"))
    frozen = [trace for path in paths for trace in prmdata.read(path)]
    told = [
        trace.with_evidence(Evidence("credit", "scores", rewards=(0.5,) * len(trace.steps)))
        for trace in frozen
        if trace.steps
    ]
    assert len(told) > 2000
    target = tmp_path / "credit.jsonl"
    counts = prmdata.export(
        told, output=str(target), to="credit", settings={"tokenizer": ABACUS, "spread": "even"}
    )
    rows = [json.loads(line) for line in target.read_text(encoding="utf-8").splitlines()]
    assert len(rows) == len(told), counts
    assert not [row["trace_id"] for row in rows if row["drift"] != 0 or row["across"]]
    for row in rows:
        for (start, end), advantage in zip(row["step_spans"], row["step_advantages"], strict=True):
            assert sum(row["token_advantages"][start:end]) == pytest.approx(advantage)
