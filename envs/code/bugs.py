"""Repair tasks: a bug in a real package, known by the tests that it fails, and the task that is made of it.

A `Bug` is small and plain: which package, which edit, which tests. Everything else (the workspace, the hidden tests,
the solution) follows from it and from the package. Nothing here runs anything; see `selfgym.envs.code.making`.
"""

from __future__ import annotations

import ast
from dataclasses import asdict
from hashlib import blake2b
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from selfgym.envs.code.mutate import Edit, apply
from selfgym.envs.code.mutations.text import parse
from selfgym.envs.code.packages import files_of, find_package, is_test
from selfgym.envs.code.problem import Problem

BODY_REMOVED = "body-removed"
"""The kind of edit that leaves a function to be written."""

_MOST_TOLD = 2_000  # characters of a test or of its error in a statement


class Bug(BaseModel):
    """One verified bug: the original passes ``tests``, and with the bug ``failing`` of them fail."""

    model_config = ConfigDict(frozen=True)

    package: str
    version: str
    path: str
    start: int
    end: int
    replacement: str
    kind: str
    function: str
    line: int
    failing: tuple[str, ...]
    """Tests that the bug fails."""
    tests: tuple[str, ...]
    """The hidden tests: ``failing``, all others that reach the function, and more of the package's."""
    error: str
    """What the first failing test says."""

    @classmethod
    def of(cls, package: str, version: str, edit: Edit, **found: Any) -> Bug:
        """The bug that ``edit`` makes."""
        return cls(package=package, version=version, **asdict(edit), **found)

    @property
    def id(self) -> str:
        """A name for records that tells the package and nothing else: agents see it."""
        what = f"{self.path}\n{self.start}\n{self.end}\n{self.replacement}"
        return f"{self.package}-{self.version}/{blake2b(what.encode(), digest_size=6).hexdigest()}"

    @property
    def edit(self) -> Edit:
        """The edit of the original source."""
        fields = ("path", "start", "end", "replacement", "kind", "function", "line")
        return Edit(**{name: getattr(self, name) for name in fields})

    def problem(self, kind: Literal["repair", "function"] = "repair") -> Problem:
        """The task. Raises `PackageError` where the package is not on this machine."""
        package = find_package(self.package)
        original = files_of(package)
        source = original[self.path].decode()
        hidden = {path: data for path, data in original.items() if is_test(package, path)}
        files = original | {self.path: apply(source, self.edit).encode()}
        for path in {test.partition("::")[0] for test in self.failing}:
            files[path] = without_tests(files[path], self.failing, path)
        statement = self._function_statement() if kind == "function" else self._repair_statement(original)
        return Problem(
            id=self.id,
            statement=statement,
            package=package,
            files=files,
            hidden=hidden,
            tests=self.tests,
            solution={self.path: original[self.path]},
        )

    def _repair_statement(self, original: dict[str, bytes]) -> str:
        """The issue as somebody would report it who has seen it fail but has not looked for the cause."""
        count = len(self.failing)
        tests = "A test that is not in this checkout fails" if count == 1 else f"{count} tests that are not here fail"
        parts = [f"Something in {self.package} {self.version} does not work as it should. {tests}; find out why."]
        shown = test_source(original, self.failing[0])
        if shown:
            parts.append(f"For example {self.failing[0]}:\n\n{_cut(shown)}")
        if self.error:
            parts.append(f"{'It' if shown else self.failing[0]} ends with:\n\n{_cut(self.error)}")
        return "\n\n".join(parts)

    def _function_statement(self) -> str:
        return (
            f"In {self.package} {self.version} the function {self.function} in {self.path} has no body. Write it: its "
            "docstring, where it has one, and the code that calls it say what it should do. Tests that are not in this "
            "checkout will call it."
        )


def test_source(files: dict[str, bytes], test: str) -> str:
    """The source of a test, decorators included; nothing for one that is made by a program."""
    path = test.partition("::")[0]
    text = files[path].decode()
    nodes = _test_nodes(text, {_name(test)})
    if not nodes:
        return ""
    first, last = _lines(nodes[0])
    return "\n".join(text.splitlines()[first - 1 : last])


def without_tests(data: bytes, tests: tuple[str, ...], path: str) -> bytes:
    """A test file without these tests, as it was before somebody wrote them. Tests made by a program stay."""
    text = data.decode()
    lines = text.splitlines(keepends=True)
    names = {_name(test) for test in tests if test.partition("::")[0] == path}
    for node in reversed(_test_nodes(text, names)):
        first, last = _lines(node)
        indent = lines[node.lineno - 1][: node.col_offset]
        # so that neither a class nor a block is left without a body
        lines[first - 1 : last] = [f"{indent}pass\n"]
    return "".join(lines).encode()


test_source.__test__ = False  # type: ignore[attr-defined]  # not for pytest to collect


def _test_nodes(text: str, names: set[str]) -> list[ast.FunctionDef | ast.AsyncFunctionDef]:
    """The functions of these qualified names, in the order of the file."""
    found: list[ast.FunctionDef | ast.AsyncFunctionDef] = []

    def look(body: list[ast.stmt], above: str) -> None:
        for node in body:
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and above + node.name in names:
                found.append(node)
            elif isinstance(node, ast.ClassDef):
                look(node.body, f"{above}{node.name}::")

    look(parse(text).body, "")
    return found


def _lines(node: ast.FunctionDef | ast.AsyncFunctionDef) -> tuple[int, int]:
    """First and last line, decorators included."""
    first = min([node.lineno, *(one.lineno for one in node.decorator_list)])
    return first, node.end_lineno or node.lineno


def _name(test: str) -> str:
    """The qualified name in a test id, without parameters."""
    return test.partition("::")[2].partition("[")[0]


def _cut(text: str) -> str:
    text = text.strip("\n")
    return text if len(text) <= _MOST_TOLD else text[:_MOST_TOLD] + "\n..."
