"""The first rung: what can be said of a skill's code without running it.

Not a sandbox. What passes here still runs only inside one; this keeps a library readable and says early, and in words,
what a skill may not do with the capabilities it has.
"""

from __future__ import annotations

import ast

from selfgym.memory.item import Capability, Code
from selfgym.memory.skills.running import blanks

_MOST_ACTIONS = 50
_MODULES = frozenset(["re", "math", "json", "itertools", "functools", "collections", "string", "typing", "dataclasses"])
_NEEDS = {
    "os": Capability.FILES, "pathlib": Capability.FILES, "shutil": Capability.FILES, "tempfile": Capability.FILES,
    "glob": Capability.FILES, "csv": Capability.FILES, "sqlite3": Capability.FILES, "io": Capability.FILES,
    "subprocess": Capability.PROCESSES, "multiprocessing": Capability.PROCESSES, "threading": Capability.PROCESSES,
    "socket": Capability.NETWORK, "urllib": Capability.NETWORK, "http": Capability.NETWORK, "ssl": Capability.NETWORK,
    "requests": Capability.NETWORK, "asyncio": Capability.NETWORK,
}  # fmt: skip
_FORBIDDEN = frozenset(
    {
        "eval",
        "exec",
        "compile",
        "__import__",
        "globals",
        "locals",
        "vars",
        "setattr",
        "delattr",
        "getattr",
        "breakpoint",
    }
)


def objections(code: Code) -> list[str]:
    """Everything that speaks against the code, a sentence each; empty if nothing does."""
    if code.runtime == "actions":
        return _of_actions(code)
    if code.runtime == "folder":
        return [] if code.source.strip() else ["the folder has no instructions."]
    try:
        tree = ast.parse(code.source)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        return [f"the source is not Python: {error}."]
    return [*_of_definitions(tree, code), *(said for node in ast.walk(tree) for said in _of_node(node, code))]


def _of_actions(code: Code) -> list[str]:
    lines = [line for line in code.source.splitlines() if line.strip()]
    found = blanks(code.source)
    said = []
    if not lines:
        said.append("the skill has no actions.")
    if len(lines) > _MOST_ACTIONS:
        said.append(f"the skill has {len(lines)} actions; {_MOST_ACTIONS} are the most.")
    said += [f"the blank {{{name}}} is no parameter." for name in sorted(found - set(code.parameters))]
    said += [f"the parameter {name!r} is in no action." for name in sorted(set(code.parameters) - found)]
    return said


def _of_definitions(tree: ast.Module, code: Code) -> list[str]:
    said = []
    for node in tree.body:
        harmless = isinstance(node, ast.FunctionDef | ast.Import | ast.ImportFrom) or (
            isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
        )
        constant = isinstance(node, ast.Assign) and all(
            isinstance(
                one, ast.Constant | ast.List | ast.Tuple | ast.Dict | ast.Set | ast.Load | ast.UnaryOp | ast.USub
            )
            for one in ast.walk(node.value)
        )
        if not harmless and not constant:
            said.append(f"line {node.lineno}: only functions, imports and constants may stand outside a function.")
    named = [node for node in tree.body if isinstance(node, ast.FunctionDef) and node.name == code.entry]
    if len(named) != 1:
        return [*said, f"the source defines {code.entry} {len(named)} times; it must do so once."]
    function = named[0]
    names = [argument.arg for argument in (*function.args.posonlyargs, *function.args.args, *function.args.kwonlyargs)]
    if names != list(code.parameters) or function.args.vararg or function.args.kwarg:
        said.append(f"{code.entry} takes ({', '.join(names)}), its schema says ({', '.join(code.parameters)}).")
    if not ast.get_docstring(function):
        said.append(f"{code.entry} has no docstring.")
    if code.runtime == "python" and not any(isinstance(node, ast.Yield | ast.YieldFrom) for node in ast.walk(function)):
        said.append(f"{code.entry} yields no actions.")
    return said


def _of_node(node: ast.AST, code: Code) -> list[str]:
    line = getattr(node, "lineno", 0)
    modules: list[str] = []
    if isinstance(node, ast.Import):
        modules = [alias.name for alias in node.names]
    elif isinstance(node, ast.ImportFrom):
        modules = [node.module or "." * node.level]
    said = [said for module in modules if (said := _of_module(module.partition(".")[0], line, code))]
    if isinstance(node, ast.Attribute) and node.attr.startswith("__"):
        said.append(f"line {line}: {node.attr} reaches behind the language.")
    if isinstance(node, ast.Name) and (node.id in _FORBIDDEN or node.id.startswith("__")):
        said.append(f"line {line}: {node.id} is not for skills.")
    if isinstance(node, ast.Name) and node.id == "open" and Capability.FILES not in code.caps:
        said.append(f"line {line}: open needs the capability 'files'.")
    return said


def _of_module(module: str, line: int, code: Code) -> str:
    needed = _NEEDS.get(module)
    if needed is not None:
        return "" if needed in code.caps else f"line {line}: {module} needs the capability {str(needed)!r}."
    return "" if module in _MODULES else f"line {line}: the module {module!r} is not for skills."
