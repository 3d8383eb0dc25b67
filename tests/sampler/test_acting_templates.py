"""Prefixes with tools, rendered as transformers renders them, in templates of four families."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from prmdata.records import Origin, Problem, Trace
from prmdata.sampler.acting.playing import Acting, Start
from prmdata.sampler.models.rendering import ChatTemplate
from prmdata.turns import chat_until, steps_of
from tests.agent import HERMES, Agent

LLAMA = """{{- bos_token }}
{%- if tools %}
{{- "<|start_header_id|>system<|end_header_id|>\\n\\nEnvironment: ipython\\n" }}
{%- for t in tools %}{{- t | tojson(indent=4) }}{{- "\\n\\n" }}{%- endfor %}{{- "<|eot_id|>" }}
{%- endif %}
{%- for m in messages %}
{%- if 'tool_calls' in m %}
{%- if m.tool_calls | length != 1 %}{{- raise_exception("one call at a time") }}{%- endif %}
{%- set call = m.tool_calls[0].function %}
{{- '<|start_header_id|>assistant<|end_header_id|>\\n\\n{"name": "' + call.name + '", "parameters": ' }}
{{- call.arguments | tojson }}{{- "}<|eot_id|>" }}
{%- elif m.role == 'tool' %}
{{- "<|start_header_id|>ipython<|end_header_id|>\\n\\n" }}
{%- if m.content is mapping or m.content is iterable %}{{- m.content | tojson }}{%- else %}{{- m.content }}{%- endif %}
{{- "<|eot_id|>" }}
{%- else %}
{{- '<|start_header_id|>' + m.role + '<|end_header_id|>\\n\\n' + m.content | trim + '<|eot_id|>' }}
{%- endif %}
{%- endfor %}
{%- if add_generation_prompt %}{{- '<|start_header_id|>assistant<|end_header_id|>\\n\\n' }}{%- endif %}"""
MISTRAL = """{{- bos_token }}
{%- set users = messages | selectattr('role', 'equalto', 'user') | list %}
{%- for m in messages %}
{%- if m.role == 'user' %}
{%- if tools and m == users[-1] %}{{- '[AVAILABLE_TOOLS] ' + (tools | tojson) + '[/AVAILABLE_TOOLS]' }}{%- endif %}
{{- '[INST] ' + m.content + '[/INST]' }}
{%- elif m.tool_calls is defined and m.tool_calls %}
{{- '[TOOL_CALLS] [' }}
{%- for c in m.tool_calls %}
{%- if c.id | length != 9 %}{{- raise_exception('ids have nine letters') }}{%- endif %}
{{- (c.function | tojson)[:-1] + ', "id": "' + c.id + '"}' }}{{- ', ' if not loop.last else ']' + eos_token }}
{%- endfor %}
{%- elif m.role == 'assistant' %}{{- ' ' + m.content + eos_token }}
{%- elif m.role == 'tool' %}
{{- '[TOOL_RESULTS] {"content": ' + (m.content | string) + ', "call_id": "' + m.tool_call_id + '"}[/TOOL_RESULTS]' }}
{%- endif %}
{%- endfor %}"""
THINKING = """{%- set ns = namespace(last=0) %}
{%- for m in messages %}{%- if m.role == 'user' %}{%- set ns.last = loop.index0 %}{%- endif %}{%- endfor %}
{%- for m in messages %}
{{- '<|im_start|>' + (m.role if m.role != 'tool' else 'user') + '\\n' }}
{%- if m.role == 'assistant' %}
{%- set content = m.content.split('</think>')[-1].lstrip('\\n') %}
{%- if loop.index0 > ns.last and '</think>' in m.content %}
{{- '<think>\\n' + m.content.split('</think>')[0].split('<think>')[-1].strip('\\n') + '\\n</think>\\n\\n' }}
{%- endif %}
{{- content }}
{%- for c in m.tool_calls or [] %}
{%- if c.function.arguments is string %}{%- set a = c.function.arguments %}{%- else %}{%- set a = c.function.arguments | tojson %}{%- endif %}
{{- '\\n<tool_call>\\n{"name": "' + c.function.name + '", "arguments": ' + a + '}\\n</tool_call>' }}
{%- endfor %}
{%- elif m.role == 'tool' %}{{- '<tool_response>\\n' + m.content + '\\n</tool_response>' }}
{%- else %}{{- m.content }}{%- endif %}
{{- '<|im_end|>\\n' }}
{%- endfor %}
{%- if add_generation_prompt %}{{- '<|im_start|>assistant\\n' }}{%- endif %}"""
TEMPLATES = {"hermes": HERMES, "llama": LLAMA, "mistral": MISTRAL, "thinking": THINKING}
TOOLS = [
    {
        "type": "function",
        "function": {
            "name": "find",
            "description": "Finds — “it”.",
            "parameters": {
                "type": "object",
                "properties": {"q": {"type": "string"}},
                "required": ["q"],
            },
        },
    }
]
CHAT: list[dict[str, Any]] = [
    {"role": "user", "content": "Where?"},
    {
        "role": "assistant",
        "content": "<think>\nHm.\n</think>\n\nI look.",
        "tool_calls": [
            {
                "id": "call00000",
                "type": "function",
                "function": {"name": "find", "arguments": {"q": "Zürich <b>"}},
            }
        ],
    },
    {"role": "tool", "tool_call_id": "call00000", "name": "find", "content": "There.\n"},
    {"role": "assistant", "content": "The answer is there."},
]


def trace_of(chat: list[dict[str, Any]]) -> Trace:
    origin = Origin(messages=tuple(chat[:1]), tools=tuple(TOOLS))
    return Trace("t", Problem("p", "Where?"), steps_of(chat[1:]), origin=origin)


def rendered(source: str, trace: Trace, steps: int) -> str:
    agent = Agent()
    agent.template = ChatTemplate(source, bos="<s>", eos="</s>")  # type: ignore[misc]
    said, begun = chat_until(trace, steps)
    start = Start(trace.problem, trace.origin.messages, tuple(said), begun, trace.origin.tools)
    return Acting(agent, None).prompt(start, start.said) + begun  # type: ignore[arg-type]


def tokenizer() -> Any:
    """A real fast tokenizer with byte-level pieces, so that texts are compared as tokens too."""
    transformers = pytest.importorskip("transformers")
    from prmdata.sampler.models.folders import ABACUS_MODEL

    return transformers.AutoTokenizer.from_pretrained(str(ABACUS_MODEL))


@pytest.mark.parametrize("name", TEMPLATES)
@pytest.mark.parametrize("arguments", ["object", "text"])
def test_a_prefix_with_tools_is_rendered_as_transformers_renders_it(
    name: str, arguments: str
) -> None:
    chat = json.loads(json.dumps(CHAT))
    if arguments == "text":
        function = chat[1]["tool_calls"][0]["function"]
        function["arguments"] = json.dumps(function["arguments"], ensure_ascii=False)
    ours = tokenizer()
    special = {"bos_token": "<s>", "eos_token": "</s>"}
    for name_, text in special.items():
        setattr(ours, name_, text)
    trace = trace_of(chat)
    for steps, messages in ((0, CHAT[:1]), (1, CHAT[:3])):
        theirs = ours.apply_chat_template(
            messages,
            tools=TOOLS,
            chat_template=TEMPLATES[name],
            add_generation_prompt=True,
            tokenize=False,
        )
        own = rendered(TEMPLATES[name], trace, steps)
        assert own == theirs
        encode = ours.backend_tokenizer.encode
        assert (
            encode(own, add_special_tokens=False).ids
            == encode(theirs, add_special_tokens=False).ids
        )


def test_a_turn_that_is_begun_is_continued_and_not_closed() -> None:
    trace = trace_of(CHAT)
    whole = trace.steps[1]
    cut = replace(
        trace, steps=(trace.steps[0], replace(whole, text="The answer", messages=()), whole)
    )
    assert rendered(HERMES, cut, 2).endswith("<|im_start|>assistant\nThe answer")
