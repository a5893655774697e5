"""Alita: the agent makes its own tools; those that pass are served over the Model Context Protocol.

arXiv 2505.20286; the repository CharlesQ9/Alita holds no code. A tool is a function that answers with a value. It
climbs the ladder (its source is read, its check runs in a sandbox and must fail for a stub) and is then called like any
skill; `selfgym memory serve` offers the same tools to other clients.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from selfgym.agents.methods.method import Practice, Task
from selfgym.agents.methods.writer import Writer, told
from selfgym.memory.item import Check, Code, Item, Kind
from selfgym.memory.library import Library
from selfgym.memory.propose.tools import finder
from selfgym.memory.views import members

_ASK = (
    "Write a Python function that would help with tasks like those below: with a docstring, without imports, pure, "
    "answering with a value. Then write assert statements that check it. Put the function into one ```python block and "
    "the assert statements into a second one."
)
_BLOCK = re.compile(r"```(?:python)?\n(.*?)```", re.DOTALL)
_TOLD = 3


@dataclass(frozen=True)
class Alita:
    """Tools that the agent made."""

    most: int = 5

    name: ClassVar[str] = "alita"
    source: ClassVar[str] = "arXiv 2505.20286"
    heading: ClassVar[str] = "Tools that can be called"

    def recall(self, library: Library, task: Task) -> Sequence[Item]:
        """The tools, the newest first."""
        found = members(library, (Kind.SKILL,), task.env)
        return [item for item in found if item.code and item.code.runtime == "mcp"][::-1][: self.most]

    def write(self, library: Library, practice: Practice, writer: Writer | None) -> Sequence[Item]:
        """A tool, if the episodes are enough to make one."""
        return made_tool(self.name, practice, writer)


def made_tool(method: str, practice: Practice, writer: Writer | None) -> list[Item]:
    """One tool out of practice, by rules or by a model; none where that fails."""
    if writer is None:
        tool = finder(practice.past)
        if tool is None:
            return []
        code, check, sources, model = tool.code, tool.check, tool.sources, ""
    else:
        sources, model = tuple(practice.new[-_TOLD:]), writer.name
        blocks = _BLOCK.findall(writer.ask(_ASK, "\n\n".join(told(one, longest=80) for one in sources)))
        if len(blocks) < 2 or (read := read_function(blocks[0])) is None or not blocks[1].strip():
            return []
        code, check = read, Check(rung="unit", source=blocks[1])
    what = (ast.get_docstring(ast.parse(code.source).body[-1]) or "").strip()  # type: ignore[arg-type]
    title = f"Tool: {code.entry}"
    return [
        practice.item(
            method,
            Kind.SKILL,
            title,
            sources,
            model=model,
            when=what[:400],
            body=what[:400],
            code=code,
            checks=(check,),
        )
    ]


def read_function(source: str) -> Code | None:
    """The last function of a source as a tool, its parameters read off its signature; None where there is none.

    >>> read_function("def twice(n):\\n    return 2 * n").params["required"]
    ['n']
    """
    try:
        last = ast.parse(source).body[-1]
    except (SyntaxError, ValueError, IndexError, RecursionError, MemoryError):
        return None
    if not isinstance(last, ast.FunctionDef) or last.name.startswith("_"):
        return None
    names = [argument.arg for argument in last.args.args]
    params: dict[str, Any] = {"type": "object", "properties": {name: {} for name in names}, "required": names}
    try:
        return Code(runtime="mcp", entry=last.name, source=source, params=params)
    except ValueError:
        return None
