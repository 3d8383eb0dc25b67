"""Chat templates of the kinds that models have, written out: a prefix is continued as it stands."""

from __future__ import annotations

import asyncio
import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from prmdata.errors import InputError, SamplerError
from prmdata.grading import Grader
from prmdata.records import Message, Origin, Problem, Step, Trace
from prmdata.sampler.models.rendering import ChatTemplate, read_template
from prmdata.sampler.protocol import Completion, Sampling, Scored
from prmdata.sampler.rollouts import Rollouts, RolloutSettings

CHATML = (
    "{%- for message in messages %}{{- '<|im_start|>' + message.role + '\\n' + message.content "
    "+ '<|im_end|>\\n' }}{%- endfor %}{%- if add_generation_prompt %}"
    "{{- '<|im_start|>assistant\\n' }}{%- if enable_thinking is defined and enable_thinking is "
    "false %}{{- '<think>\\n\\n</think>\\n\\n' }}{%- endif %}{%- endif %}"
)
LLAMA = (
    "{{- bos_token }}{%- for message in messages %}{{- '<|start_header_id|>' + message['role'] + "
    "'<|end_header_id|>\\n\\n' + message['content'] | trim + '<|eot_id|>' }}{%- endfor %}"
    "{%- if add_generation_prompt %}{{- '<|start_header_id|>assistant<|end_header_id|>\\n\\n' }}"
    "{%- endif %}"
)
GEMMA = (
    "{{ bos_token }}{% for message in messages %}{% if message['role'] == 'system' %}"
    "{{ raise_exception('System role not supported') }}{% endif %}"
    "{% set role = 'model' if message['role'] == 'assistant' else message['role'] %}"
    "{{ '<start_of_turn>' + role + '\\n' + message['content'] | trim + '<end_of_turn>\\n' }}"
    "{% endfor %}{% if add_generation_prompt %}{{ '<start_of_turn>model\\n' }}{% endif %}"
)
STRIPPING = (
    "{{ bos_token }}{% for message in messages %}{% if message.role == 'assistant' %}"
    "{% set said = message.content.split('</think>')[-1] | trim %}"
    "{{ '<|Assistant|>' + said + eos_token }}{% else %}{{ '<|User|>' + message.content }}"
    "{% endif %}{% endfor %}{% if add_generation_prompt %}{{ '<|Assistant|><think>\\n' }}"
    "{% endif %}"
)
TRAINING = (
    "{%- set said = 'no' %}{%- if tools is not none %}{{- 'tools:' ~ tools | tojson }}{%- endif %}"
    "{%- if documents is not none %}{{- 'documents' }}{%- endif %}"
    "{%- for message in messages %}{{- '<|im_start|>' + message.role + '\\n' }}"
    "{%- if message.role == 'assistant' %}\n    {% generation %}\n{%- set said = 'yes' %}"
    "{{- message.content + '<|im_end|>' }}{%- endgeneration %}{{- '\\n' }}{%- else %}"
    "{{- message.content + '<|im_end|>\\n' }}{%- endif %}{{- said }}{%- endfor %}"
    "{%- if add_generation_prompt %}{{- '<|im_start|>assistant\\n' }}{%- endif %}"
)
"""As TRL's training templates have it."""
OPENED = {
    CHATML: "<|im_start|>user\nHow many?<|im_end|>\n<|im_start|>assistant\n",
    LLAMA: "<s><|start_header_id|>user<|end_header_id|>\n\nHow many?<|eot_id|>"
    "<|start_header_id|>assistant<|end_header_id|>\n\n",
    GEMMA: "<s><start_of_turn>user\nHow many?<end_of_turn>\n<start_of_turn>model\n",
    STRIPPING: "<s><|User|>How many?<|Assistant|><think>\n",
    TRAINING: "<|im_start|>user\nHow many?<|im_end|>\nno<|im_start|>assistant\n",
}
ASKED: list[Message] = [{"role": "user", "content": "How many?"}]
NAMES = {
    CHATML: "chatml",
    LLAMA: "llama",
    GEMMA: "gemma",
    STRIPPING: "stripping",
    TRAINING: "training",
}
templates = pytest.mark.parametrize("source", OPENED, ids=NAMES.values())
STEPS = ("<think>\nLet me see.\n\n", "  Two and two: 4. \n", "</think>\n\n", "The answer is 4.\n")


def folder_of(source: str, place: Path) -> Path:
    config = {"bos_token": "<s>", "eos_token": {"content": "</s>"}, "chat_template": source}
    (place / "tokenizer_config.json").write_text(json.dumps(config))
    return place


class Listening:
    """Remembers what it is asked to continue."""

    spec = fingerprint = "listening"
    context = 1 << 20

    def __init__(self, template: ChatTemplate) -> None:
        self.template = template
        self.heard: list[str] = []

    async def complete(
        self, prefix: str, n: int, sampling: Sampling, seed: int
    ) -> list[Completion]:
        self.heard.append(prefix)
        return [Completion("The answer is 4.", 5, "stop")] * n

    async def score(self, prefix: str, text: str, top: int = 0) -> Scored:
        raise NotImplementedError

    async def close(self) -> None:
        pass


@templates
def test_the_assistants_turn_is_left_open(source: str, tmp_path: Path) -> None:
    assert read_template(folder_of(source, tmp_path)).open_turn(ASKED) == OPENED[source]


def in_transformers(source: str) -> Any:
    transformers = pytest.importorskip("transformers")
    tokenizers = pytest.importorskip("tokenizers")
    made = tokenizers.Tokenizer(tokenizers.models.BPE())
    return transformers.PreTrainedTokenizerFast(
        tokenizer_object=made, bos_token="<s>", eos_token="</s>", chat_template=source
    )


@templates
def test_it_is_the_text_that_transformers_renders(source: str, tmp_path: Path) -> None:
    theirs = in_transformers(source)
    turns = [*ASKED, {"role": "assistant", "content": "<think>\nhm\n</think>\n\n 4 \n"}, *ASKED]
    for messages in (ASKED, turns):
        ours = read_template(folder_of(source, tmp_path)).open_turn(messages)
        assert ours == theirs.apply_chat_template(
            messages, add_generation_prompt=True, tokenize=False
        )


@pytest.mark.parametrize("after", range(len(STEPS)))
@templates
def test_what_is_continued_is_the_open_turn_and_the_prefix_byte_for_byte(
    source: str, after: int, tmp_path: Path
) -> None:
    sampler = Listening(read_template(folder_of(source, tmp_path)))
    trace = Trace(
        "t",
        Problem("p", "How many?", "4"),
        steps=tuple(map(Step, STEPS)),
        origin=Origin(messages=tuple(ASKED)),
    )
    rollouts = Rollouts(sampler, Grader(), RolloutSettings())
    asyncio.run(rollouts.sample(trace, after, 1))
    opened, prefix = OPENED[source], "".join(STEPS[:after])
    if opened.endswith("<think>\n"):  # a thought is opened once
        prefix = prefix.removeprefix("<think>\n")
    assert sampler.heard == [opened + prefix]


@pytest.mark.parametrize(
    "how", ["", "indent=2", "ensure_ascii=True", "sort_keys=True, separators=(',', ':')", "True"]
)
def test_json_is_written_as_transformers_writes_it(how: str) -> None:
    source = f"{{{{ {{'b': 'é', 'a': [1, 2]}} | tojson({how}) }}}}"
    theirs = in_transformers(source).apply_chat_template(
        ASKED, add_generation_prompt=True, tokenize=False
    )
    assert ChatTemplate(source).open_turn(ASKED) == theirs


def test_tools_reach_the_template() -> None:
    tools = [{"name": "sum"}]
    theirs = in_transformers(TRAINING).apply_chat_template(
        ASKED, tools=tools, add_generation_prompt=True, tokenize=False
    )
    assert ChatTemplate(TRAINING).open_turn(ASKED, arguments={"tools": tools}) == theirs
    assert theirs.startswith('tools:[{"name": "sum"}]')


def test_arguments_reach_the_template() -> None:
    template = ChatTemplate(CHATML)
    thinking = template.open_turn(ASKED)
    assert template.open_turn(ASKED, arguments={"enable_thinking": True}) == thinking
    quiet = template.open_turn(ASKED, arguments={"enable_thinking": False})
    assert quiet == thinking + "<think>\n\n</think>\n\n"


def test_rollouts_give_the_template_what_the_trace_was_sampled_with() -> None:
    sampler = Listening(ChatTemplate(CHATML))
    origin = Origin(messages=tuple(ASKED), template_args={"enable_thinking": False})
    trace = Trace("t", Problem("p", "How many?", "4"), steps=(Step("So 4."),), origin=origin)
    asyncio.run(Rollouts(sampler, Grader(), RolloutSettings()).sample(trace, 0, 1))
    assert sampler.heard == [OPENED[CHATML] + "<think>\n\n</think>\n\n"]


def test_a_template_may_refuse_and_there_may_be_none() -> None:
    system: list[Message] = [{"role": "system", "content": "Be brief."}, *ASKED]
    with pytest.raises(InputError, match="refuses these messages: System role not supported"):
        ChatTemplate(GEMMA).open_turn(system)
    with pytest.raises(SamplerError, match="try --template raw"):
        ChatTemplate(None).open_turn(ASKED)
    assert ChatTemplate(None, bos="<s>", bos_by_default=True).open_turn(ASKED, "raw") == (
        "<s>How many?"
    )


def test_a_template_cannot_reach_out_of_its_sandbox() -> None:
    with pytest.raises(SamplerError, match="template fails: access to attribute"):
        ChatTemplate("{{ ''.__class__.__mro__[1].__subclasses__() }}").open_turn(ASKED)


def test_a_template_that_prints_the_date_prints_the_day_of_the_trace() -> None:
    dated = ChatTemplate("{{ strftime_now('%d %b %Y') }} {{ messages[0]['content'] }}")
    arguments = dated.dated({"a": 1})
    assert arguments == {"a": 1, "strftime_now": date.today().isoformat()}
    assert dated.dated({"strftime_now": "2024-02-29"}) == {"strftime_now": "2024-02-29"}
    messages: list[Message] = [{"role": "user", "content": "Hi"}]
    assert dated.open_turn(messages, arguments={"strftime_now": "2024-02-29"}) == "29 Feb 2024 Hi"
    assert ChatTemplate("{{ messages[0]['content'] }}").dated({}) == {}
    with pytest.raises(InputError, match="write a date like"):
        dated.open_turn(messages, arguments={"strftime_now": "yesterday"})


@pytest.mark.parametrize("text", ["", "{", "[]", "[" * 100_000, "null", '"x"'])
def test_a_broken_model_folder_is_one_message(tmp_path: Path, text: str) -> None:
    (tmp_path / "tokenizer_config.json").write_text(text)
    with pytest.raises(SamplerError, match=r"tokenizer_config\.json: not"):
        read_template(tmp_path)
