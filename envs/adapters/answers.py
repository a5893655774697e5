"""Answers that may be given to a scorer that evaluates them as Python.

Some of reasoning-gym's scorers call ``eval``, or sympy's ``parse_expr``, which does the same after some changes. What
an agent wrote is never run here, so for those only what can do nothing is let through: literals and arithmetic.
"""

from __future__ import annotations

import ast
import inspect
import re
from typing import Any

from selfgym.envs.tools import ActionError

_EVALUATES, _PARSES = re.compile(r"\b(eval|exec|sympify)\("), re.compile(r"\bparse_expr\(")
_MOST = 4096  # characters
_LARGEST = 100  # power
_FUNCTIONS = {
    *("sin", "cos", "tan", "sec", "csc", "cot", "asin", "acos", "atan", "sinh", "cosh", "tanh", "exp", "log", "ln"),
    *("sqrt", "Abs", "Rational", "Integer"),
}
_ARITHMETIC = (ast.BinOp, ast.UnaryOp, ast.operator, ast.unaryop, ast.Name, ast.Load)


def check(answer: str, scorer: Any) -> None:
    """Raises `ActionError` where evaluating ``answer`` could do anything; ``scorer`` is the object that scores it."""
    source = inspect.getsource(inspect.getmodule(type(scorer)) or type(scorer))
    symbolic = bool(_PARSES.search(source)) and "sympy" in source
    if (symbolic or _EVALUATES.search(source)) and not harmless(answer, symbolic):
        raise ActionError("Answer with plain text, numbers, lists or arithmetic: this is a program, or too large.")


def harmless(answer: str, symbolic: bool) -> bool:
    """Whether ``eval`` of it, or sympy's ``parse_expr`` where ``symbolic``, can do no more than arithmetic.

    >>> harmless("3*(x + 1)**2 - sin(x)", True), harmless("['a', 'b']", False), harmless("1 2 3", False)
    (True, True, True)
    >>> harmless("open('file', 'w')", False), harmless("9**9**9", True), harmless("5! + f(1)", True)
    (False, False, False)
    """
    if len(answer) > _MOST:
        return False
    try:
        tree = ast.parse(answer.strip(), mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return not symbolic  # sympy reads more than Python does; for Python it is an error there too
    return _arithmetic(tree, symbolic) or (not symbolic and _literal(tree))


def _literal(tree: ast.expr) -> bool:
    allowed = (ast.List, ast.Tuple, ast.Dict, ast.Set, ast.Constant, ast.UnaryOp, ast.USub, ast.UAdd, ast.Load)
    return all(isinstance(node, allowed) for node in ast.walk(tree))


def _arithmetic(tree: ast.expr, calls: bool) -> bool:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            if not calls or node.keywords or not isinstance(node.func, ast.Name) or node.func.id not in _FUNCTIONS:
                return False
        elif isinstance(node, ast.Constant):
            if not isinstance(node.value, int | float):
                return False
        elif isinstance(node, ast.BinOp) and isinstance(node.op, ast.Pow | ast.LShift):
            if not _small(node.right) or any(isinstance(inner, ast.Pow) for inner in ast.walk(node.left)):
                return False
        elif not isinstance(node, _ARITHMETIC) or (isinstance(node, ast.Name) and "__" in node.id):
            return False
    return True


def _small(power: ast.expr) -> bool:
    """Whether a power is made of small numbers and names, without powers or products of its own."""
    allowed = (ast.Name, ast.Load, ast.UnaryOp, ast.USub, ast.UAdd, ast.BinOp, ast.Add, ast.Sub, ast.Div)
    return all(
        isinstance(node, allowed)
        or (isinstance(node, ast.Constant) and isinstance(node.value, int | float) and abs(node.value) <= _LARGEST)
        for node in ast.walk(power)
    )
