"""Mutations of expressions: comparisons, logic, arithmetic, constants, slices, choices.

Each function takes the text and one node and yields the changes of that node alone, as a programmer might have got it
wrong. What is equal by construction (``x + 0``, swapped operands of ``==``) or fails at once wherever it runs
(``"a" - b``) is left out.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from selfgym.envs.code.mutations.text import Change, SourceText

_BOUNDARY: dict[type[ast.cmpop], str] = {ast.Lt: "<=", ast.LtE: "<", ast.Gt: ">=", ast.GtE: ">"}
_DIRECTION: dict[type[ast.cmpop], str] = {ast.Lt: ">", ast.LtE: ">=", ast.Gt: "<", ast.GtE: "<="}
_INVERTED: dict[type[ast.cmpop], tuple[str, str]] = {
    ast.Eq: ("!=", "equality-inverted"),
    ast.NotEq: ("==", "equality-inverted"),
    ast.Is: ("is not", "identity-inverted"),
    ast.IsNot: ("is", "identity-inverted"),
    ast.In: ("not in", "membership-inverted"),
    ast.NotIn: ("in", "membership-inverted"),
}
_ARITHMETIC: dict[type[ast.operator], tuple[str, str]] = {
    ast.Add: ("+", "-"),
    ast.Sub: ("-", "+"),
    ast.Mult: ("*", "+"),
    ast.Div: ("/", "//"),
    ast.FloorDiv: ("//", "/"),
    ast.Mod: ("%", "//"),
    ast.Pow: ("**", "*"),
    ast.LShift: ("<<", ">>"),
    ast.RShift: (">>", "<<"),
    ast.BitAnd: ("&", "|"),
    ast.BitOr: ("|", "&"),
    ast.BitXor: ("^", "&"),
}
_AUGMENTED: dict[type[ast.operator], tuple[str, str]] = {
    ast.Add: ("+=", "-="),
    ast.Sub: ("-=", "+="),
    ast.Mult: ("*=", "+="),
    ast.FloorDiv: ("//=", "/="),
    ast.BitOr: ("|=", "&="),
    ast.BitAnd: ("&=", "|="),
    ast.LShift: ("<<=", ">>="),
    ast.RShift: (">>=", "<<="),
}
ATOMS = (ast.Name, ast.Attribute, ast.Subscript, ast.Call, ast.Constant)
"""Expressions that stand anywhere without brackets."""

_CONTAINERS = (ast.JoinedStr, ast.List, ast.ListComp, ast.Tuple, ast.Dict, ast.Set)


def comparison(text: SourceText, node: ast.Compare) -> Iterator[Change]:
    """``<`` as ``<=`` and as ``>``; ``==``, ``is`` and ``in`` turned round."""
    left = node.left
    for operator, right in zip(node.ops, node.comparators, strict=True):
        words = [word for word in text.tokens(text.span(left)[1], text.span(right)[0]) if word.text not in "()"]
        start, end = words[0].start, words[-1].end
        if type(operator) in _BOUNDARY:
            yield Change(start, end, _BOUNDARY[type(operator)], "comparison-boundary")
            yield Change(start, end, _DIRECTION[type(operator)], "comparison-direction")
        else:
            yield Change(start, end, *_INVERTED[type(operator)])
        left = right


def boolean(text: SourceText, node: ast.BoolOp) -> Iterator[Change]:
    """``and`` for ``or`` and the other way round."""
    word, other = ("and", "or") if isinstance(node.op, ast.And) else ("or", "and")
    for left, right in zip(node.values, node.values[1:], strict=False):
        token = text.token(word, text.span(left)[1], text.span(right)[0])
        if token:
            yield Change(token.start, token.end, other, "boolean-operator")


def unary(text: SourceText, node: ast.UnaryOp) -> Iterator[Change]:
    """A ``not`` or a minus sign forgotten."""
    start = text.span(node)[0]
    if isinstance(node.op, ast.Not):
        yield Change(start, text.blanks_after(start + len("not")), "", "negation-dropped")
    elif isinstance(node.op, ast.USub) and not _is_number(node.operand, 0):
        yield Change(start, start + 1, "", "sign-dropped")


def condition(text: SourceText, test: ast.expr) -> Iterator[Change]:
    """A condition negated, where no operator of its own can be turned round instead."""
    if isinstance(test, ast.Constant | ast.UnaryOp):
        return
    if isinstance(test, ast.Compare) and len(test.ops) == 1:
        return
    start, end = text.span(test)
    bare = isinstance(test, ATOMS)
    yield Change(start, end, f"not {text.of(test)}" if bare else f"not ({text.of(test)})", "condition-negated")


def arithmetic(text: SourceText, node: ast.BinOp) -> Iterator[Change]:
    """Another operator, swapped operands, or a forgotten ``+ 1`` or ``- 1``."""
    (_, left_end), (right_start, end) = text.span(node.left), text.span(node.right)
    if isinstance(node.op, ast.Add | ast.Sub) and _is_number(node.right, 1):
        yield from _offset_dropped(text, left_end, right_start, end)
    if type(node.op) not in _ARITHMETIC or _is_text(node.left) or _is_text(node.right):
        return
    if isinstance(node.left, ast.Constant) and isinstance(node.right, ast.Constant):
        return
    word, other = _ARITHMETIC[type(node.op)]
    token = text.token(word, left_end, right_start)
    neutral = 0 if isinstance(node.op, ast.Add | ast.Sub | ast.LShift | ast.RShift) else 1
    if token and not _is_number(node.right, neutral):
        yield Change(token.start, token.end, other, "arithmetic-operator")
    if isinstance(node.op, ast.Sub | ast.Div | ast.FloorDiv | ast.Mod):
        yield from swapped(text, node.left, node.right, "operands-swapped")


def _offset_dropped(text: SourceText, left_end: int, right_start: int, end: int) -> Iterator[Change]:
    """``n - 1`` as ``n``."""
    token = next((one for one in text.tokens(left_end, right_start) if one.text in "+-"), None)
    if token is None or text.text[token.end : right_start].strip(" \t"):
        return
    start = token.start
    while text.text[start - 1] in " \t":
        start -= 1
    if text.line(start) == text.line(end) and text.indentation(start) is None:
        yield Change(start, end, "", "off-by-one")


def augmented(text: SourceText, node: ast.AugAssign) -> Iterator[Change]:
    """Another operator, or none at all: ``total += x`` as ``total = x``."""
    start, end = text.span(node.target)[1], text.span(node.value)[0]
    token = next((one for one in text.tokens(start, end) if one.text.endswith("=")), None)
    if token is None:
        return
    yield Change(token.start, token.end, "=", "accumulation-overwritten")
    word, other = _AUGMENTED.get(type(node.op), ("", ""))
    if word == token.text and not _is_text(node.value):
        yield Change(token.start, token.end, other, "augmented-operator")


def constant(text: SourceText, node: ast.Constant, kind: str = "") -> Iterator[Change]:
    """A number off by one, a text emptied, a truth value turned round; ``kind`` names it otherwise."""
    start, end = text.span(node)
    written, value = text.text[start:end], node.value
    if isinstance(value, bool):
        yield Change(start, end, str(not value), kind or "boolean-flipped")
    elif isinstance(value, int):
        for other in (value + 1, value - 1) if value > 0 else (value + 1,):
            if not _does_nothing(text, start, other):
                yield Change(start, end, _in_base(written, other), kind or "constant-off-by-one")
    elif isinstance(value, float) and value + 1 != value:
        yield Change(start, end, repr(value + 1), kind or "constant-off-by-one")
    elif isinstance(value, str | bytes):
        quote = next((mark for mark in ('"""', "'''", '"', "'") if written.endswith(mark)), "")
        prefix = written.partition(quote[:1])[0] if quote else ""
        one_token = "\n" not in written and "\r" not in written and written.count(quote or "?") == 2
        if one_token and (prefix.isalpha() or not prefix):
            yield Change(start, end, f"{prefix}{quote}{'' if value else ' '}{quote}", kind or "string-emptied")


def subscript(text: SourceText, node: ast.Subscript) -> Iterator[Change]:
    """The first item for the last, and slices that begin or end somewhere else."""
    index = node.slice
    if _is_number(index, 0):
        yield Change(*text.span(index), "-1", "first-last-swapped")
    elif isinstance(index, ast.UnaryOp) and isinstance(index.op, ast.USub) and _is_number(index.operand, 1):
        yield Change(*text.span(index), "0", "first-last-swapped")
    elif isinstance(index, ast.Slice):
        yield from _slice(text, index)


def _slice(text: SourceText, node: ast.Slice) -> Iterator[Change]:
    start, end = text.span(node)
    if node.step is None and (node.lower is None) != (node.upper is None):
        bound = node.lower or node.upper
        assert bound is not None
        if isinstance(bound, (*ATOMS, ast.UnaryOp)) and text.text[start:end].strip(": ") == text.of(bound):
            written = f":{text.of(bound)}" if node.lower else f"{text.of(bound)}:"
            yield Change(start, end, written, "slice-bound")
    for bound in (node.lower, node.upper):
        if isinstance(bound, ast.Constant):
            yield from constant(text, bound, "slice-bound")
        elif isinstance(bound, ast.Name | ast.Attribute | ast.Call):
            sign = "+" if bound is node.lower else "-"
            yield Change(text.span(bound)[1], text.span(bound)[1], f" {sign} 1", "slice-bound")


def choice(text: SourceText, node: ast.IfExp) -> Iterator[Change]:
    """``a if c else b`` as ``b if c else a``."""
    yield from swapped(text, node.body, node.orelse, "choice-swapped")


def comprehension(text: SourceText, node: ast.comprehension) -> Iterator[Change]:
    """A filter of a comprehension forgotten or negated."""
    before = node.iter
    for test in node.ifs:
        gap = list(text.tokens(text.span(before)[1], text.span(test)[0]))
        word = next((token for token in gap if token.text == "if"), None)
        opened = sum(token.text == "(" and word is not None and token.start > word.start for token in gap)
        end = text.close(text.span(test)[1], opened)
        if word and end and text.text[word.start - 1] in " \t":
            yield Change(word.start - 1, end, "", "filter-dropped")
        yield from condition(text, test)
        before = test


def order(text: SourceText, node: ast.expr | None) -> Iterator[Change]:
    """Neighbours of a tuple that is returned or unpacked in the wrong order."""
    if isinstance(node, ast.Tuple):
        for left, right in zip(node.elts, node.elts[1:], strict=False):
            yield from swapped(text, left, right, "order-swapped")


def swapped(text: SourceText, left: ast.expr, right: ast.expr, kind: str) -> Iterator[Change]:
    """Two neighbouring expressions in each other's place, where both stand without brackets and differ."""
    if not (isinstance(left, ATOMS) and isinstance(right, ATOMS)) or text.of(left) == text.of(right):
        return
    if left.lineno != left.end_lineno or right.lineno != right.end_lineno:
        return  # outside its own brackets a text of several lines need not parse
    (start, left_end), (right_start, end) = text.span(left), text.span(right)
    between = text.text[left_end:right_start]
    yield Change(start, end, f"{text.of(right)}{between}{text.of(left)}", kind)


def _does_nothing(text: SourceText, start: int, value: int) -> bool:
    """Whether ``value`` at ``start`` is added to something as 0, or multiplies it as 1."""
    before = text.text[text.line_start(start) : start].rstrip(" \t").removesuffix("=")
    return before.endswith({0: ("+", "-"), 1: ("*", "/")}.get(value, ()))


def _in_base(written: str, value: int) -> str:
    base = written[:2].lower()
    if base in ("0x", "0o", "0b"):
        digits = format(value, base[1])
        return written[:2] + (digits.upper() if written[2:].isupper() else digits)
    return str(value)


def _is_number(node: ast.expr, value: int) -> bool:
    return isinstance(node, ast.Constant) and not isinstance(node.value, bool) and node.value == value


def _is_text(node: ast.expr) -> bool:
    """Whether this is text or a container, to which few operators apply."""
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add | ast.Mult | ast.Mod):
        return _is_text(node.left) or _is_text(node.right)
    return isinstance(node, _CONTAINERS) or (isinstance(node, ast.Constant) and isinstance(node.value, str | bytes))
