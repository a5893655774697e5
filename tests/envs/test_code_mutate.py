"""Mutations: each kind is the mistake it is named after, and every edit parses, differs and can be undone exactly."""

import ast
import sysconfig
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from selfgym.envs.code.mutate import Edit, apply, edits, inverse

LIBRARY = Path(sysconfig.get_path("stdlib"))
SMALL = "_weakrefset bisect codeop colorsys copyreg crypt fnmatch getopt getpass glob graphlib hmac json/scanner"
SMALL += " linecache netrc nturl2path quopri reprlib sched secrets stat"
LARGE = [
    "argparse",
    "contextlib",
    "datetime",
    "difflib",
    "heapq",
    "shlex",
    "textwrap",
    "asyncio/tasks",
    "unittest/mock",
]

# kind: (a statement or function before, after)
EXAMPLES = {
    "comparison-boundary": ("return a < b", "return a <= b"),
    "comparison-direction": ("return a >= b", "return a <= b"),
    "equality-inverted": ("return a == b", "return a != b"),
    "identity-inverted": ("return a is (None)", "return a is not (None)"),
    "membership-inverted": ("return a not  in b", "return a in b"),
    "boolean-operator": ("return a and f(b or c)", "return a or f(b or c)"),
    "negation-dropped": ("return not a", "return a"),
    "sign-dropped": ("return-1", "return 1"),
    "condition-negated": ("if a or b:\n        a.c()", "if not (a or b):\n        a.c()"),
    "arithmetic-operator": ("return a * (b + c)", "return a + (b + c)"),
    "operands-swapped": ("return a - b", "return b - a"),
    "off-by-one": ("return f(len(a) - 1)", "return f(len(a))"),
    "augmented-operator": ("a += b", "a -= b"),
    "accumulation-overwritten": ("a += b", "a = b"),
    "constant-off-by-one": ("return a[0xFF]", "return a[0xFE]"),
    "boolean-flipped": ("return f(c=True)", "return f(c=False)"),
    "string-emptied": ('return a or b"x"', 'return a or b""'),
    "first-last-swapped": ("return a[0]", "return a[-1]"),
    "slice-bound": ("return a[:b]", "return a[b:]"),
    "choice-swapped": ("return a if c else b", "return b if c else a"),
    "filter-dropped": ("return [x for x in a if (x)]", "return [x for x in a]"),
    "order-swapped": ("return a, b", "return b, a"),
    "sibling-function": ("return min(a, b)", "return max(a, b)"),
    "sibling-method": ("return a.startswith(b)", "return a.endswith(b)"),
    "conversion-forgotten": ("return f(sorted(a))", "return f(a)"),
    "loop-range": ("for x in range(len(a)):\n        a(x)", "for x in range(1, len(a)):\n        a(x)"),
    "arguments-swapped": ("return f((a), b)", "return f((b), a)"),
    "keyword-dropped": ("return f(a, key=(b), c=c)", "return f(a, c=c)"),
    "variable-misused": ("return a[b - c]", "return a[c - c]"),
    "attribute-misused": ("return a.left if a.right else a", "return a.right if a.right else a"),
    "assignment-dropped": ("a.c = b\n    return a", "return a"),
    "augmented-dropped": ("a += b\n    return a", "return a"),
    "call-dropped": ("a.sort()  # now\n    return a", "return a"),
    "raise-dropped": ("if a:\n        raise a\n    return b", "if a:\n        pass\n    return b"),
    "guard-dropped": ("if a:\n        return b\n    return a", "return a"),
    "deletion-dropped": ("del a[b]\n    return a", "return a"),
    "break-continue-swapped": ("for x in a:\n        break", "for x in a:\n        continue"),
    "return-forgotten": ("return f(a)", "f(a)"),
    "yield-for-return": ("yield a", "return a"),
    "yield-from-dropped": ("yield  from a", "yield a"),
    "exception-changed": ("raise KeyError(a)", "raise IndexError(a)"),
    "except-widened": (
        "try:\n        a()\n    except c.E:\n        b()",
        "try:\n        a()\n    except Exception:\n        b()",
    ),
    "except-narrowed": (
        "try:\n        a()\n    except (KeyError, OSError):\n        b()",
        "try:\n        a()\n    except OSError:\n        b()",
    ),
    "early-return": ("for x in a:\n        b(x)\n    return b", "for x in a:\n        b(x)\n        return b"),
    "indented-into-block": ("if a:\n        b()\n    c()", "if a:\n        b()\n        c()"),
    "dedented-out-of-block": ("if a:\n        b()\n        c()", "if a:\n        b()\n    c()"),
    "default-changed": ("def g(n=3):\n        return n\n    return g", "def g(n=4):\n        return n\n    return g"),
    "body-removed": (
        "def g():\n        return 1\n    return g",
        "def g():\n        raise NotImplementedError\n    return g",
    ),
}


def in_function(body: str) -> str:
    return f"def fun(a, b, c):\n    {body}\n"


def mutants(source: str, kind: str | None = None) -> list[str]:
    return [apply(source, one) for one in edits(source, "m.py") if kind in (None, one.kind)]


@pytest.mark.parametrize("kind", EXAMPLES)
def test_what_each_kind_does(kind):
    before, after = EXAMPLES[kind]
    assert in_function(after) in mutants(in_function(before), kind)


def read(name: str) -> str:
    return (LIBRARY / f"{name}.py").read_bytes().decode()


@pytest.mark.parametrize("name", SMALL.split())
def test_every_edit_of_a_module_parses_differs_and_is_undone(name):
    check_edits(read(name), every=1)


@pytest.mark.parametrize("name", LARGE)
def test_edits_of_large_modules(name):
    check_edits(read(name), every=97)


@pytest.mark.parametrize("ending", ["\r\n", "\r", "\f\n"])
def test_other_line_ends(ending):
    check_edits(read("heapq").replace("\n", ending), every=5)


def test_tabs_a_byte_order_mark_and_letters_of_several_bytes():
    source = read("textwrap").replace("    ", "\t").replace("text", "téxt語")
    check_edits("\ufeff" + ast.unparse(ast.parse(source)) + "\n# no newline at the end: é", every=3)
    check_edits("\ufeff" + source, every=3)


def check_edits(source: str, every: int) -> None:
    found = edits(source, "m.py")
    assert found == edits(source, "m.py")
    assert len({(one.start, one.end, one.replacement) for one in found}) == len(found)
    for number, one in enumerate(found[::every]):
        changed = apply(source, one)  # raises where the result is not Python or means the same
        back = inverse(source, one)
        assert changed[: back.start] + back.replacement + changed[back.end :] == source
        if number % 4 == 0:
            compile(changed.removeprefix("\ufeff"), "m.py", "exec", dont_inherit=True)
            assert apply(changed, back) == source


def test_all_kinds_have_an_example_and_the_library_has_most():
    seen = {one.kind for name in LARGE for one in edits(read(name), name)}
    assert seen <= EXAMPLES.keys()
    assert len(seen) >= len(EXAMPLES) - 3


UNTOUCHED = '''\
"""Module 1 < 2."""
import logging
LIMIT = 3
if TYPE_CHECKING:
    def never(a=1): return a < 1

class Thing:
    size: int = 1 + 2

    @decorator(1 < 2, "x")
    def method(self, value: "int" = None) -> Literal["a", 1]:
        """Doc: 1 < 2 and not 3."""
        local: Annotated[int, "x < 1"] = value
        logging.warning("low %s", value + 1, exc_info=True)
        self.logger.debug("so " + "what", 1)
        warnings.warn("old", stacklevel=2)
        assert local < 1, "message"
        cast("Thing", f"{local + 1!r:>{local}}")
        raise KeyError("text" + "s", 1 < 2) from None

@overload
def twice(a: int = 1) -> int: ...

def unwritten():
    """Doc."""
    raise NotImplementedError("sub" + "class")
'''


def test_nothing_that_tests_cannot_see_is_touched():
    kinds = {(one.kind, one.line) for one in edits(UNTOUCHED, "m.py")}
    assert kinds == {("body-removed", 13), ("raise-dropped", 19), ("exception-changed", 19)}


def test_where_an_edit_lies():
    source = "class A:\n    class B:\n        def f(self):\n            def g(x):\n                return x < 1\n"
    boundary = next(one for one in edits(source, "a/b.py") if one.kind == "comparison-boundary")
    assert boundary == Edit("a/b.py", 90, 91, "<=", "comparison-boundary", "A.B.f.g", 5)


def test_a_removed_body_keeps_the_docstring_and_nothing_else():
    source = '''\
class A:
    def f(self,
          x):  # header
        """Doc."""
        # how it is done
        y = x  # copied

        # and back
        return y
        # really

    # about g
    def g(self): return 1
'''
    whole, short = mutants(source, "body-removed")
    assert whole == source.replace(source[source.index("        # how") : source.index("\n\n    # about")], HOLE)
    assert short == source.replace("return 1", "raise NotImplementedError")


HOLE = "        raise NotImplementedError"


@pytest.mark.parametrize(
    ("body", "kind", "after"),
    [
        ("if a: raise a\n    return b", "raise-dropped", "if a: pass\n    return b"),
        ("a.b(); a.c()", "call-dropped", "pass; a.c()"),
        (
            "if a:\n        pass\n    elif b: return 1\n    return a",
            "guard-dropped",
            "if a:\n        pass\n    return a",
        ),
        ("return f(\n        a,\n        key=1,\n    )", "keyword-dropped", "return f(\n        a,\n    )"),
        ("return f(key=1,)", "keyword-dropped", "return f()"),
        ("return f(a, # why\n        key=1)", "keyword-dropped", "return f(a, # why\n        )"),
        ("return 1if a else 2", "constant-off-by-one", "return 2 if a else 2"),
        ("return(f(a))", "return-forgotten", "(f(a))"),
        ("return (a # <\n        < b)", "comparison-boundary", "return (a # <\n        <= b)"),
        ("return a\\\n    <b", "comparison-boundary", "return a\\\n    <=b"),
        ("return f(x for x in a if x)", "filter-dropped", "return f(x for x in a)"),
    ],
)
def test_odd_layouts(body, kind, after):
    assert in_function(after) in mutants(in_function(body), kind)


@pytest.mark.parametrize(
    "body",
    [
        "return isinstance(a, b)",  # arguments that cannot be confused
        "return max(a.b, c.d) if 0 else 0",
        "return 'x' % a",  # would fail at once
        "a, b = None, None",
        "return a.split('x')",
        "pass",
    ],
)
def test_no_mistakes_that_are_none(body):
    source = in_function(body)
    kinds = {one.kind for one in edits(source, "m.py")}
    assert not kinds & {"arguments-swapped", "arithmetic-operator", "order-swapped", "sibling-method"}


@pytest.mark.parametrize("zero", ["a + 1", "a - 1", "i += 1"])
def test_no_number_becomes_one_that_does_nothing(zero):
    body = f"i = 1; {zero}" if "=" in zero else f"return {zero}"
    assert not [
        one for one in mutants(in_function(body)) if ast.unparse(ast.parse(one)).endswith(("+ 0", "- 0", "+= 0"))
    ]


@pytest.mark.parametrize("body", ["a = sorted(a)", "a = -a", "a = b", "a = a.strip()"])
def test_no_variable_is_assigned_to_itself(body):
    assert not [one for one in mutants(in_function(f"f(a); {body}\n    {body}")) if "    a = a\n" in one]


def test_a_wrong_variable_always_has_a_value():
    source = "def f(n):\n    if n:\n        first = n + 1\n    total = n * 2\n    return total - n\n    last = n - 1\n"
    wrong = [one for one in edits(source, "m.py") if one.kind == "variable-misused"]
    assert {(one.line, one.replacement) for one in wrong} == {(5, "n"), (5, "total"), (6, "total")}


def test_edits_of_another_text_are_refused():
    source = "def f(a):\n    return a < 1\n"
    edit = next(one for one in edits(source, "m.py") if one.kind == "comparison-boundary")
    with pytest.raises(ValueError, match=r"m\.py covers characters 23 to 24, but the text has 5"):
        apply("a = 1", edit)
    with pytest.raises(ValueError, match="not Python that Python 3"):
        apply("def f(a):\n    (return not_so_short", edit)
    with pytest.raises(ValueError, match=r"m\.py, line 2 \(comparison-boundary\), changes nothing"):
        apply("def f(a):\n    return a    + 1  ", Edit("m.py", 25, 26, "  ", edit.kind, "f", 2))


@pytest.mark.parametrize("text", ["def f(:", "x = \0", "(" * 500])
def test_what_is_not_python(text):
    with pytest.raises(ValueError, match="not Python that Python 3"):
        edits(text, "m.py")


@given(st.lists(st.sampled_from([before for before, _ in EXAMPLES.values()]), min_size=1, max_size=4), st.data())
def test_any_mixture_of_statements(bodies, data):
    source = "".join(f"def f{n}(a, b, c):\n    {body}\n" for n, body in enumerate(bodies))
    found = edits(source, "m.py")
    one = data.draw(st.sampled_from(found))
    assert apply(apply(source, one), inverse(source, one)) == source
