"""Mutations of statements: one forgotten, one at the wrong depth, another exception, a body to be written again."""

from __future__ import annotations

import ast
from collections.abc import Container, Iterator, Sequence
from dataclasses import dataclass

from selfgym.envs.code.mutations.expressions import constant, order
from selfgym.envs.code.mutations.text import Change, SourceText

Function = ast.FunctionDef | ast.AsyncFunctionDef

_EXCEPTIONS = {
    "ValueError": "TypeError",
    "TypeError": "ValueError",
    "KeyError": "IndexError",
    "IndexError": "KeyError",
    "AttributeError": "KeyError",
    "LookupError": "ValueError",
    "RuntimeError": "ValueError",
    "OSError": "ValueError",
    "IOError": "ValueError",
    "FileNotFoundError": "PermissionError",
    "PermissionError": "FileNotFoundError",
    "ImportError": "AttributeError",
    "ModuleNotFoundError": "AttributeError",
    "ZeroDivisionError": "OverflowError",
    "OverflowError": "ZeroDivisionError",
    "UnicodeDecodeError": "UnicodeEncodeError",
    "UnicodeEncodeError": "UnicodeDecodeError",
    "AssertionError": "ValueError",
    "EOFError": "ValueError",
    "SyntaxError": "ValueError",
    "RecursionError": "MemoryError",
}
_LEAVES = (ast.Return, ast.Raise, ast.Break, ast.Continue)
_SIMPLE = (ast.Assign, ast.AugAssign, ast.Expr, ast.Return, ast.Raise)


@dataclass(frozen=True, slots=True)
class Place:
    """Where a statement stands."""

    statement: ast.stmt
    block: Sequence[ast.stmt]
    """The statements of its block, itself among them."""
    index: int
    parent: ast.AST
    bound: Container[str]
    """Variables that have a value before it."""
    in_async: bool
    """Whether its function is a coroutine, where a generator may not return a value."""

    @property
    def alone(self) -> bool:
        """Whether its block would be empty without it."""
        return len(self.block) == 1


def statement(text: SourceText, place: Place) -> Iterator[Change]:
    """Every mutation of one statement as a whole; its expressions are none of this function's business."""
    node = place.statement
    if forgettable := _forgettable(place):
        yield _dropped(text, place, forgettable)
    match node:
        case ast.Break() | ast.Continue():
            word = "continue" if isinstance(node, ast.Break) else "break"
            yield Change(*text.span(node), word, "break-continue-swapped")
        case ast.Return(value=ast.Call() as value) if text.line(text.span(value)[0]) == node.lineno:
            yield Change(
                text.span(node)[0], text.blanks_after(text.span(node)[0] + len("return")), "", "return-forgotten"
            )
        case ast.Return(value=ast.expr() as value) if not isinstance(value, ast.Constant):
            start = text.span(node)[0] + len("return")
            yield Change(start, text.span(node)[1], " None", "return-forgotten")
        case ast.Expr(value=ast.Yield() | ast.YieldFrom() as value) if not place.in_async:
            yield from _yielded(text, node, value)
        case ast.Raise(exc=ast.expr() as raised):
            yield from _other_exception(text, raised.func if isinstance(raised, ast.Call) else raised)
        case ast.Try() | ast.TryStar():
            for handler in node.handlers:
                yield from _handler(text, handler)
    if isinstance(node, ast.Return):
        yield from order(text, node.value)
    elif isinstance(node, ast.Assign) and not _all_the_same(text, node.value):
        yield from order(text, node.targets[0])
    elif isinstance(node, ast.For | ast.AsyncFor):
        yield from order(text, node.target)
    yield from _into_block(text, place)
    yield from _out_of_block(text, place)


def _forgettable(place: Place) -> str | None:
    """The kind of the mutation that leaves this statement out, if there is one."""
    match place.statement:
        case ast.Assign(targets=[ast.Attribute() | ast.Subscript()]):
            return "assignment-dropped"
        case ast.Assign(targets=[ast.Name(id=name)]) if name in place.bound:
            return "assignment-dropped"
        case ast.AugAssign():
            return "augmented-dropped"
        case ast.Expr(value=ast.Call() | ast.Await(value=ast.Call())):
            return "call-dropped"
        case ast.Raise() if not _says_nothing(place.statement) and not (
            place.alone and isinstance(place.parent, Function)
        ):
            return "raise-dropped"
        case ast.If(orelse=[], body=body) if isinstance(body[-1], _LEAVES) and not _yields(place.statement):
            return "guard-dropped"
        case ast.Delete(targets=[ast.Attribute() | ast.Subscript()]):
            return "deletion-dropped"
    return None


def _yields(node: ast.AST) -> bool:
    return any(isinstance(one, ast.Yield | ast.YieldFrom) for one in ast.walk(node))


def _dropped(text: SourceText, place: Place, kind: str) -> Change:
    """The lines of a statement taken out, or ``pass`` where something must stand."""
    start, end = text.span(place.statement)
    own_lines = text.indentation(start) is not None and not text.rest_of_line(end)
    if own_lines and (not place.alone or text.text.startswith("elif", start)):
        return Change(text.line_start(start), text.next_line(end), "", kind)
    return Change(start, end, "pass", kind)


def _all_the_same(text: SourceText, value: ast.expr) -> bool:
    return isinstance(value, ast.Tuple) and len({text.of(one) for one in value.elts}) == 1


def _yielded(text: SourceText, node: ast.Expr, value: ast.Yield | ast.YieldFrom) -> Iterator[Change]:
    start, end = text.span(value)
    if text.span(node) != (start, end):
        return  # in brackets
    if isinstance(value, ast.Yield):
        yield Change(start, start + len("yield"), "return", "yield-for-return")
        return
    word = text.token("from", start, text.span(value.value)[0])
    if word:
        yield Change(start + len("yield"), word.end, "", "yield-from-dropped")


def _other_exception(text: SourceText, node: ast.expr) -> Iterator[Change]:
    if isinstance(node, ast.Name) and node.id in _EXCEPTIONS:
        yield Change(*text.span(node), _EXCEPTIONS[node.id], "exception-changed")


def _handler(text: SourceText, handler: ast.ExceptHandler) -> Iterator[Change]:
    caught = handler.type
    if caught is None:
        return
    yield from _other_exception(text, caught)
    if not (isinstance(caught, ast.Name) and caught.id in ("Exception", "BaseException")):
        yield Change(*text.span(caught), "Exception", "except-widened")
    if isinstance(caught, ast.Tuple) and len(caught.elts) > 1 and text.text[text.span(caught)[0]] == "(":
        names = [text.of(one) for one in caught.elts]
        for left_out in range(len(names)):
            kept = [name for place, name in enumerate(names) if place != left_out]
            written = kept[0] if len(kept) == 1 else f"({', '.join(kept)})"
            yield Change(*text.span(caught), written, "except-narrowed")


def _into_block(text: SourceText, place: Place) -> Iterator[Change]:
    """The statement after a loop or an ``if`` indented as if it still belonged to it."""
    node, before = place.statement, place.block[place.index - 1] if place.index else None
    if not isinstance(node, _SIMPLE) or not isinstance(before, ast.For | ast.While | ast.If | ast.AsyncFor):
        return
    last = (before.orelse or before.body)[-1]
    if isinstance(before, ast.If) and before.orelse:
        return
    start = text.span(node)[0]
    here, deeper = text.indentation(start), text.indentation(text.span(last)[0])
    if here is None or deeper is None or isinstance(last, _LEAVES) or text.rest_of_line(text.span(node)[1]):
        return
    kind = "early-return" if isinstance(node, ast.Return) else "indented-into-block"
    yield Change(start - len(here), start, deeper, kind)


def _out_of_block(text: SourceText, place: Place) -> Iterator[Change]:
    """The last statement of a loop or an ``if`` at the depth of what follows."""
    node, parent = place.statement, place.parent
    if not isinstance(node, _SIMPLE) or not isinstance(parent, ast.For | ast.While | ast.If | ast.AsyncFor):
        return
    if place.alone or node is not place.block[-1] or parent.orelse or place.block is not parent.body:
        return
    start = text.span(node)[0]
    here, shallower = text.indentation(start), text.indentation(text.span(parent)[0])
    if here is None or shallower is None or text.rest_of_line(text.span(node)[1]):
        return
    yield Change(start - len(here), start, shallower, "dedented-out-of-block")


def defaults(text: SourceText, node: Function) -> Iterator[Change]:
    """Another default value of a parameter."""
    for value in (*node.args.defaults, *node.args.kw_defaults):
        if isinstance(value, ast.Constant):
            yield from constant(text, value, "default-changed")


def body_removed(text: SourceText, node: Function) -> Iterator[Change]:
    """The whole body to be written again; the docstring stays, comments that tell how it worked do not."""
    rest = node.body[1:] if ast.get_docstring(node, clean=False) is not None else node.body
    if not rest or all(_says_nothing(one) for one in rest):
        return
    start, end = text.span(rest[0])[0], text.span(rest[-1])[1]
    decorators = getattr(rest[0], "decorator_list", [])
    if decorators:
        start = text.text.rindex("@", 0, text.span(decorators[0])[0])
    indentation = text.indentation(start)
    if indentation is None or text.rest_of_line(end):
        yield Change(start, end, "raise NotImplementedError", "body-removed")
        return
    floor = text.next_line(text.span(node.body[0])[1] if rest is not node.body else text.span(node)[0])
    start = _above_comments(text, start, floor)
    end = _below_comments(text, end, indentation)
    ending = text.text[end - 1 : end] if text.text[end - 1 : end] in "\r\n" else ""
    ending = "\r\n" if text.text[end - 2 : end] == "\r\n" else ending
    yield Change(start, end, f"{indentation}raise NotImplementedError{ending}", "body-removed")


def _says_nothing(node: ast.stmt) -> bool:
    """Whether a statement is what stands in a body that is not written."""
    match node:
        case ast.Pass() | ast.Expr(value=ast.Constant()):
            return True
        case ast.Raise(exc=ast.Name(id="NotImplementedError") | ast.Call(func=ast.Name(id="NotImplementedError"))):
            return True
    return False


def _above_comments(text: SourceText, start: int, floor: int) -> int:
    """The beginning of the lines of comments and blanks right above the line of ``start``, none before ``floor``."""
    start = text.line_start(start)
    while start > floor:
        line = text.line_start(start - 1)
        content = text.text[line:start].strip()
        if content and not content.startswith("#"):
            break
        start = line
    return start


def _below_comments(text: SourceText, end: int, indentation: str) -> int:
    """The end of the last line of comments below ``end`` that are indented like the body."""
    end = place = text.next_line(end)
    while place < len(text.text):
        line = text.text[place : text.next_line(place)]
        if line.strip() and not line.startswith(f"{indentation}#"):
            break
        place = text.next_line(place)
        end = place if line.strip() else end
    return end
