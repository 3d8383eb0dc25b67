"""`{% generation %} … {% endgeneration %}`: transformers' tag for what trainers learn from."""

from __future__ import annotations

from jinja2.ext import Extension
from jinja2.nodes import Node, Scope
from jinja2.parser import Parser


class GenerationTag(Extension):
    """To render a prompt, its body is all there is to it; what is set in there stays in there."""

    tags = {"generation"}  # noqa: RUF012  as jinja2 has it

    def parse(self, parser: Parser) -> Node:
        line = next(parser.stream).lineno
        body = parser.parse_statements(("name:endgeneration",), drop_needle=True)
        return Scope(body, lineno=line)
