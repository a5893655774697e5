"""Tests that must fail: the hidden tests with a false assertion before their first line, under the same names.

Whoever makes tests pass by any other way than by passing them makes these pass too. Only text is made here; the tests
are the task's own, never the agent's.
"""

from __future__ import annotations

import ast
import secrets
from collections.abc import Iterable

from selfgym.envs.code.mutations.text import parse


def sabotaged(data: bytes, names: Iterable[str]) -> tuple[bytes, set[str]]:
    """A test file in which the functions of these qualified names (``Class::test``) fail, and which of them do.

    Left as they are: what is not a function of the file, such as tests that are inherited or made by a program.
    """
    wanted = set(names)
    try:
        found = list(_functions(parse(data.decode()).body, "", wanted))
    except ValueError:
        return data, set()
    lines = data.splitlines(keepends=True)
    for _, node in sorted(found, key=lambda one: one[1].lineno, reverse=True):
        first = node.body[0]
        number = min([first.lineno, *(one.lineno for one in getattr(first, "decorator_list", ()))]) - 1
        line, column = lines[number], first.col_offset
        assertion = f"assert {_falsehood()}".encode()
        before, after = line[:column], line[column:]
        if before.strip():  # the function is all on one line
            lines[number] = before + assertion + b"; " + after
        else:
            lines[number] = before + assertion + b"\n" + line
    return b"".join(lines), {name for name, _ in found}


def _functions(
    body: list[ast.stmt], above: str, wanted: set[str]
) -> Iterable[tuple[str, ast.FunctionDef | ast.AsyncFunctionDef]]:
    for node in body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and above + node.name in wanted:
            yield above + node.name, node
        elif isinstance(node, ast.ClassDef):
            yield from _functions(node.body, f"{above}{node.name}::", wanted)


def _falsehood() -> str:
    left, right = secrets.randbelow(1000), secrets.randbelow(1000)
    return f"{left} + {right} == {left + right + 1}"
