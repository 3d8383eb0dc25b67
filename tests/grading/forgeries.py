"""Wrong programs that try to be graded right: kinds of forging, in variants. None may pass."""

from __future__ import annotations

AREA = "assert abs(area(3) - 28.27) < 0.01"
TESTS = (AREA, "assert area(0) == 0", "assert round(area(10)) == 314", "assert area(2) != area(1)")

_REPORTS = (
    "true",
    "[true, true, true, true]",
    '{"passed": true}',
    '[["value", true]]',
    "null",
    "1",
)
_BUILTINS = (
    "abs",
    "round",
    "bool",
    "print",
    "len",
    "all",
    "isinstance",
    "AssertionError",
    "eval",
    "exec",
)
_LIES = (
    "__eq__ = lambda self, other: True", "__lt__ = lambda self, other: True", "__bool__ = lambda self: True",
    "__abs__ = lambda self: 0", "__sub__ = lambda self, other: 0", "__rsub__ = lambda self, other: 0",
    "__round__ = lambda self: 314", "__ne__ = lambda self, other: True", "__float__ = lambda self: 28.27",
    "__getattr__ = lambda self, name: self", "__class__ = float", "__hash__ = lambda self: 0",
)  # fmt: skip
_PATCHED = (
    "harness.report = lambda value: b'true'", "harness.tell = lambda data: __import__('os').write(3, b'true')",
    "wire.receive = lambda channel: True", "wire.packed = lambda value, other: True",
    "wire.send = lambda channel, message: None", "serving._Server.answer = lambda self, message: True",
    "judging.judge = lambda tests: True", "judging.run = lambda tests: 0",
    "serving.serve = lambda code: 0", "harness.OK = 0; harness.ERROR = 0",
    "wire.unpacked = lambda data, other: 28.27", "names.of_the_program = lambda tests: set()",
)  # fmt: skip
_REPLIES = (
    "[number, 'value', True]", "[number, 'value', None]", "[number, 'value', ['object', 0]]",
    "[number, 'value', ['list', []]]", "[number, 'error', ['StopIteration', '']]",
    "[number, 'error', ['AssertionError', '']]", "[number, 'error', ['SystemExit', '0']]",
    "[number, 'value', 'x' * (1 << 20)]", "[None, 'value', 28.27]", "['x', 'value', 28.27]",
    "'passed'", "[number, 'value', ['fraction', '1/0']]", "[number, 'value', ['complex', [1]]]",
    "[number, 'value', ['nothing', 1]]", "[number, 'value', float('nan')]", "{}", "[[[[]]]]",
    "[number, 'value', ['dict', [[['list', []], 1]]]]", "[number, 'value', ['decimal', 'x']]",
)  # fmt: skip
_ENDS = (
    "os._exit(0)", "sys.exit(0)", "raise SystemExit", "os.kill(os.getpid(), 9)", "raise MemoryError",
    "os.close(3)", "raise KeyboardInterrupt", "raise AssertionError", "raise StopIteration",
    "os.abort()", "raise GeneratorExit", "sys.settrace(lambda *a: os._exit(0))",
)  # fmt: skip
_KNOWN = "{3: 28.274333882308138, 0: 0, 10: 314.1592653589793, 2: 12.566, 1: 3.14}"
_WRONG = "\ndef area(r):\n    return -1\n"
_SCAN = """
import gc, sys
found = [o for o in gc.get_objects() if isinstance(o, (list, tuple, dict)) and 28.27 in list(o)[:50]]
memory = open('/proc/self/mem', 'rb', 0) if {file} else None
def area(r):
    texts = [o for o in gc.get_objects() if isinstance(o, str) and '28.27' in o and o != NEEDLE]
    frame = sys._getframe()
    while frame:
        texts += [str(v) for v in frame.f_locals.values() if '28.27' in str(v)[:99999]]
        frame = frame.f_back
    return float(texts[0][:5])
NEEDLE = '28.27'
"""


def forgeries() -> dict[str, str]:
    """Name → program."""
    made: dict[str, str] = {}

    def add(kind: str, programs: list[str]) -> None:
        made.update({f"{kind} {i}": program for i, program in enumerate(programs)})

    header = "import os, sys\n"
    add("report and leave", [
        f"{header}os.write({fd}, {report.encode()!r})\nos._exit(0)"
        for report in _REPORTS for fd in (3, 4)
    ])  # fmt: skip
    add("report when called", [
        f"{header}def area(r):\n    os.write({fd}, {report.encode()!r})\n    os._exit(0)"
        for report in _REPORTS[:4] for fd in (1, 3, 4)
    ])  # fmt: skip
    add("other builtins", [f"{name} = lambda *a, **k: 0{_WRONG}" for name in _BUILTINS])
    add("patched builtins", [
        f"import builtins\nbuiltins.{name} = lambda *a, **k: 0{_WRONG}" for name in _BUILTINS
    ])  # fmt: skip
    add("objects that lie", [
        f"class Lie:\n    {lie}\ndef area(r):\n    return Lie()\n" for lie in _LIES
    ])  # fmt: skip
    add("numbers that lie", [
        f"class Lie(float):\n    {lie}\ndef area(r):\n    return Lie(-1)\n" for lie in _LIES
    ])  # fmt: skip
    add("a patched harness", [
        "import sys\nsys.path.insert(0, ROOT) if 'ROOT' in globals() else None\n"
        "modules = {name.rpartition('.')[2]: m for name, m in sys.modules.items() if 'sandbox' in name}\n"
        f"globals().update(modules)\n{patch}{_WRONG}" for patch in _PATCHED
    ])  # fmt: skip
    add("forged replies", [
        "import json, os, struct, sys\n"
        "wire = sys.modules['prmdata.sandbox.wire']\n"
        "def area(r):\n"
        "    frame = sys._getframe()\n"
        "    while 'number' not in frame.f_locals: frame = frame.f_back\n"
        "    number = frame.f_locals['number']\n"
        f"    wire.send(3, {reply})\n    os._exit(0)\n" for reply in _REPLIES
    ])  # fmt: skip
    add("early replies", [
        f"import os, struct, json\nfor _ in range({n}):\n"
        f"    data = json.dumps(['0' * 16, 'value', {value}]).encode()\n"
        "    os.write(3, struct.pack('!I', len(data)) + data)\n" + _WRONG
        for n in (1, 9) for value in (28.27, True, 0)
    ])  # fmt: skip
    add("the right answers, on the wrong way", [
        f"import os, json, struct\nknown = {_KNOWN}\n"
        f"data = json.dumps({answers}).encode()\nos.write({fd}, struct.pack('!I', len(data)) + data)\n"
        f"os.write({fd}, data)\nos._exit(0)"
        for answers in ("list(known.values())", "[['value', v] for v in known.values()]", "known")
        for fd in (3, 4)
    ])  # fmt: skip
    add("leaving", [f"{header}{end}" for end in _ENDS])
    add("leaving when called", [f"{header}def area(r):\n    {end}\n" for end in _ENDS])
    add("searching its memory", [_SCAN.format(file=file) for file in (False, True)])
    add("other libraries", [
        f"import math\nmath.{name} = lambda *a, **k: True{_WRONG}" for name in ("isclose", "fabs", "floor")
    ])  # fmt: skip
    add("names of the tests", [
        f"def check(candidate): pass{_WRONG}", f"__name__ = 'x'\nassert_ = None{_WRONG}",
        f"class AssertionError(Exception): pass{_WRONG}", f"__debug__x = 0{_WRONG}",
        "area = True", "area = None", "class area:\n    def __init__(self, r): pass\n", "import area" ,
    ])  # fmt: skip
    return made
