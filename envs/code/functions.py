"""Problems of one function: the stub that is shown, and the hidden tests of HumanEval and MBPP as a pytest file.

The tests import from the solution only what they are about. Whatever else a solution defines, a helper of the prompt or
an ``abs`` of its own, the tests use the real one. Texts are parsed here, never run.
"""

from __future__ import annotations

import ast
import copy
from collections.abc import Iterable, Sequence

from selfgym.envs.code.mutations.text import parse

MODULE = "solution"
"""The module in which the function is written."""

_Definition = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef


class FunctionError(ValueError):
    """Code or tests of a record that do not make a problem."""


def unix(text: str) -> str:
    """``text`` with line feeds alone at the ends of its lines."""
    return text.replace("\r\n", "\n").replace("\r", "\n")


def completed(prompt: str, name: str) -> str:
    """A prompt as a module that can be imported: as it is, or with a body that is not written yet."""
    for ending in ("", "    raise NotImplementedError\n", "\n    raise NotImplementedError\n"):
        try:
            parse(prompt + ending)
        except ValueError:
            continue
        return prompt + ending
    raise FunctionError(f"the prompt of {name} is not the beginning of a Python module")


def check_file(whole: str, name: str, test: str) -> str:
    """The hidden tests of a HumanEval problem: its ``check`` called with the solution's function, as a pytest test.

    ``whole`` is the prompt with the reference solution. What it defines above the function (imports, helpers that
    ``check`` may use) is repeated, so that it cannot be replaced by the solution's.
    """
    entry = next((one for one in _parsed(whole, "solution").body if _defines(one, name)), None)
    if not isinstance(entry, _Definition):
        raise FunctionError(f"prompt and canonical_solution do not define the function {name}")
    if not any(_defines(one, "check") for one in _parsed(test, "test").body):
        raise FunctionError("the test does not define check(candidate)")
    first = min((one.lineno for one in entry.decorator_list), default=entry.lineno)
    above = "\n".join(whole.split("\n")[: first - 1])
    body = f"    from {MODULE} import {name} as candidate\n\n    check(candidate)"
    if name in _names([_parsed(test, "test")]):  # the test calls it by its name as well
        body = f"    global {name}\n    from {MODULE} import {name}\n\n    check({name})"
    call = f"def test_solution():\n{body}"
    return "\n\n".join(part.strip("\n") for part in (above, test, call) if part.strip()) + "\n"


def needed_names(code: str, setup: str, tests: Sequence[str], imports: str) -> list[str]:
    """What the tests of an MBPP problem use of the reference solution ``code``, in the order of its definitions."""
    used = _names([_parsed(text, "test") for text in (setup, *tests)])
    own = {name for text in (setup, imports) for one in _parsed(text, "test").body for name in _bound(one)}
    names = [name for one in _parsed(code, "solution").body for name in _bound(one) if not _is_import(one)]
    needed = [name for name in dict.fromkeys(names) if name in used and name not in own]
    if not needed:
        raise FunctionError("the tests use nothing that the reference solution defines")
    return needed


def assertions_file(imports: str, setup: str, names: Sequence[str], tests: Sequence[str]) -> str:
    """The hidden tests of an MBPP problem, one pytest test for each assertion."""
    parts = [imports.strip()] if imports.strip() else []
    # imported inside: pytest would take a solution called test_duplicate for a test of its own
    beginning = f"from {MODULE} import {', '.join(names)}\n"
    for number, test in enumerate(tests, 1):
        lines = indented("\n".join(part for part in (beginning, setup.strip(), test) if part))
        parts.append(f"def test_{number}():\n{lines}")
    return "\n\n\n".join(part.strip("\n") for part in parts) + "\n"


def stub(code: str, names: Sequence[str]) -> str:
    """What ``code`` says about ``names`` without giving the answer away: functions lose their bodies.

    Classes and values among ``names`` are given whole, with what they and the signatures need of ``code``.
    """
    body = _parsed(code, "solution").body
    lines = code.split("\n")
    kept: dict[int, str] = {}
    wanted, seen = list(names), set[str]()
    while wanted:
        name = wanted.pop()
        for place, one in enumerate(body):
            if name in seen or name not in _bound(one):
                continue
            if isinstance(one, ast.FunctionDef | ast.AsyncFunctionDef) and name in names:
                shown: list[ast.AST] = [one.args, *one.decorator_list, *([one.returns] if one.returns else [])]
                kept[place] = _signature(one)
            else:
                shown = [one]
                kept[place] = _lines(lines, one)
            wanted += sorted(_names(shown))
        seen.add(name)
    return "\n\n".join(kept[place] for place in sorted(kept)) + "\n"


def indented(text: str) -> str:
    """``text`` four blanks deeper, what is inside strings of several lines left alone."""
    inside = {
        line
        for node in ast.walk(_parsed(text, "test"))
        if isinstance(node, ast.Constant | ast.JoinedStr) and node.end_lineno is not None
        for line in range(node.lineno + 1, node.end_lineno + 1)
    }
    lines = text.split("\n")
    return "\n".join(line if not line or n in inside else f"    {line}" for n, line in enumerate(lines, 1))


def _signature(node: ast.FunctionDef | ast.AsyncFunctionDef) -> str:
    empty = copy.copy(node)
    empty.body = [ast.Raise(ast.Name("NotImplementedError", ast.Load()), None)]
    return ast.unparse(ast.fix_missing_locations(ast.copy_location(empty, node)))


def _lines(lines: Sequence[str], node: ast.stmt) -> str:
    decorators = getattr(node, "decorator_list", [])
    first = min((one.lineno for one in decorators), default=node.lineno)
    return "\n".join(lines[first - 1 : node.end_lineno]).rstrip()


def _parsed(text: str, what: str) -> ast.Module:
    try:
        return parse(text)
    except ValueError as error:
        raise FunctionError(f"the {what} of this record: {error}") from None


def _defines(node: ast.stmt, name: str) -> bool:
    return isinstance(node, _Definition) and node.name == name


def _is_import(node: ast.stmt) -> bool:
    return isinstance(node, ast.Import | ast.ImportFrom)


def _bound(node: ast.stmt) -> list[str]:
    """Names that a statement of a module gives a meaning to."""
    if isinstance(node, _Definition):
        return [node.name]
    if isinstance(node, ast.Import | ast.ImportFrom):
        return [one.asname or one.name.partition(".")[0] for one in node.names]
    return [one.id for one in ast.walk(node) if isinstance(one, ast.Name) and isinstance(one.ctx, ast.Store)]


def _names(nodes: Iterable[ast.AST]) -> set[str]:
    return {one.id for node in nodes for one in ast.walk(node) if isinstance(one, ast.Name)}
