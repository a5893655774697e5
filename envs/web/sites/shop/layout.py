"""What all pages of the shop share: the frame, and parts that escape their text and label their controls."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from html import escape
from urllib.parse import quote, urlencode

from selfgym.envs.web.sites.shop.state import State

_STYLE = """
:root{--ink:#1d2733;--soft:#5b6775;--line:#dbe1e8;--deep:#14532d;--paper:#fff;--wash:#f5f7f5}
*{box-sizing:border-box}body{margin:0;font:15px/1.5 system-ui,sans-serif;color:var(--ink);background:var(--wash)}
a{color:var(--deep)}header{background:var(--deep);color:#fff;padding:10px 24px}
header>div,main,footer{max-width:1040px;margin:0 auto}
header>div{display:flex;gap:18px;align-items:center;flex-wrap:wrap}
header a{color:#fff;text-decoration:none}header nav{display:flex;gap:16px;margin-left:auto}
.brand{font-size:20px;font-weight:700}
main{padding:20px 24px}footer{padding:16px 24px;color:var(--soft);font-size:13px}h1{font-size:24px;margin:8px 0 14px}
h2{font-size:18px;margin:20px 0 8px}form{margin:0}form.search{display:flex;gap:8px;align-items:center;flex-wrap:wrap}
input,select,textarea{font:inherit;padding:6px 9px;border:1px solid #9aa6b2;border-radius:6px;
background:#fff;color:inherit}
label{display:inline-flex;gap:7px;align-items:center;margin:3px 10px 3px 0}textarea{width:420px;height:90px}
button,.button{font:inherit;padding:7px 14px;border:1px solid var(--deep);border-radius:6px;background:#fff;
color:var(--deep);cursor:pointer;text-decoration:none;display:inline-block}
button.main,.button.main{background:var(--deep);color:#fff}
fieldset{border:1px solid var(--line);border-radius:8px;margin:8px 0;background:#fff}legend{font-weight:600}
.card h2{margin-top:4px}
.card{background:var(--paper);border:1px solid var(--line);border-radius:10px;padding:14px 18px;margin:10px 0}
.row{display:flex;gap:10px;align-items:center;flex-wrap:wrap}.price{font-weight:700}.soft{color:var(--soft)}
.note{background:#e3f4e8;border:1px solid #9fd0ae;border-radius:8px;padding:8px 14px;margin-bottom:12px}
.problem{background:#fdeaea;border-color:#e0a3a3}table{border-collapse:collapse;width:100%;background:#fff}
th,td{text-align:left;padding:8px 10px;border-bottom:1px solid var(--line);vertical-align:top}
"""

NOTES: Mapping[str, str] = {
    "bought": "Thank you! Your order has been placed.",
    "cart": "Your cart has been updated.",
    "wishes": "Your wish list has been updated.",
    "cancelled": "The order has been cancelled.",
    "returned": "The return has been arranged.",
    "review": "Your reviews have been updated.",
    "account": "Your account has been updated.",
}
"""What a page can say that a form has led to, by the name in its address."""


def text(value: object) -> str:
    """Anything as text that no browser takes for more."""
    return escape(str(value), quote=True)


def dollars(cents: int) -> str:
    """An amount of money."""
    return f"${cents / 100:,.2f}"


def to_product(id: str, part: str = "") -> str:
    """The path of a product's page."""
    return f"/product/{quote(id, safe='')}" + (f"/{part}" if part else "")


def to_wish(id: str, part: str = "") -> str:
    """The path of something on the wish list."""
    return f"/wishes/{quote(id, safe='')}" + (f"/{part}" if part else "")


def link(path: str, words: object, style: str = "") -> str:
    """A link; ``style`` is a class."""
    return f'<a href="{text(path)}"' + (f' class="{style}"' if style else "") + f">{text(words)}</a>"


def address(path: str, **query: object) -> str:
    """A path with what is asked of it, but for what is empty."""
    asked = urlencode({name: value for name, value in query.items() if value not in ("", None)})
    return f"{path}?{asked}" if asked else path


def button(words: str, *, path: str = "", of: str = "", main: bool = False) -> str:
    """A button that sends its form, to ``path`` where that is not the form's own; ``of`` tells it from its like."""
    where = f' formaction="{text(path)}"' if path else ""
    named = f' aria-label="{text(f"{words}: {of}")}"' if of else ""
    style = ' class="main"' if main else ""
    return f"<button{where}{named}{style}>{text(words)}</button>"


def post(path: str, *parts: str) -> str:
    """A form that changes something."""
    return f'<form method="post" action="{text(path)}">{"".join(parts)}</form>'


def entry(words: str, name: str, value: object = "", *, kind: str = "text", more: str = "") -> str:
    """A field to write in, with its label."""
    return f'<label>{text(words)} <input type="{kind}" name="{text(name)}" value="{text(value)}"{more}></label>'


def amount(value: int = 1, of: str = "") -> str:
    """A field for a quantity; ``of`` tells it from its like."""
    named = f' aria-label="{text(f"Quantity: {of}")}"' if of else ""
    return entry("Quantity", "quantity", value, kind="number", more=f' min="1" max="99"{named}')


def group(words: str, *parts: str) -> str:
    """Controls that belong together."""
    return f"<fieldset><legend>{text(words)}</legend>{''.join(parts)}</fieldset>"


def section(words: str, *parts: str) -> str:
    """A part of a page with a heading of its own."""
    return f'<section class="card"><h2>{text(words)}</h2>{"".join(parts)}</section>'


def tick(words: str, name: str, on: bool = False) -> str:
    """A box to tick, with its label."""
    box = f'<input type="checkbox" name="{text(name)}" value="yes"{" checked" if on else ""}>'
    return f"<label>{box} {text(words)}</label>"


def menu(words: str, name: str, values: Mapping[str, str], chosen: str = "") -> str:
    """A menu of values, shown as what they map to, with its label."""
    told = "".join(
        f'<option value="{text(value)}"{" selected" if value == chosen else ""}>{text(shown)}</option>'
        for value, shown in values.items()
    )
    return f'<label>{text(words)} <select name="{text(name)}">{told}</select></label>'


def pick_one(words: str, name: str, values: Mapping[str, str], chosen: str) -> str:
    """A group of radio buttons, each with its label."""
    told = "".join(
        f'<label><input type="radio" name="{text(name)}" value="{text(value)}"{" checked" if value == chosen else ""}> '
        f"{text(shown)}</label>"
        for value, shown in values.items()
    )
    return group(words, told)


def table(caption: str, heads: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    """A table; its cells are markup."""
    top = "".join(f'<th scope="col">{text(head)}</th>' for head in heads)
    body = "".join(f"<tr>{''.join(f'<td>{cell}</td>' for cell in row)}</tr>" for row in rows)
    return f'<table aria-label="{text(caption)}"><thead><tr>{top}</tr></thead><tbody>{body}</tbody></table>'


def search_form(query: str = "", *more: str) -> str:
    """The field for a search."""
    field = entry("Search", "q", query, kind="search", more=' size="34" autocomplete="off"')
    return f'<form class="search" role="search" action="/search">{field}{"".join(more)}{button("Search")}</form>'


def page(title: str, body: str, state: State, *, note: str = "", problem: str = "") -> str:
    """A whole page."""
    count = sum(line.quantity for line in state.cart)
    links = (
        ("/", "Search"),
        ("/cart", f"Cart ({count})"),
        ("/wishes", f"Wish list ({len(state.wishes)})"),
        ("/orders", "Orders"),
        ("/account", "Account"),
    )
    said = f'<p class="note" role="status">{text(NOTES[note])}</p>' if note in NOTES else ""
    said += f'<p class="note problem" role="alert">{text(problem)}</p>' if problem else ""
    return (
        f'<!DOCTYPE html><html lang="en"><head><meta charset="utf-8"><title>{text(title)} - Shop</title>'
        '<meta name="viewport" content="width=device-width"><link rel="icon" href="data:,">'
        f"<style>{_STYLE}</style></head><body>"
        f'<header><div><a class="brand" href="/">The Shop</a><nav aria-label="Your shop">'
        f"{''.join(link(*one) for one in links)}</nav></div></header>"
        f"<main>{said}<h1>{text(title)}</h1>{body}</main><footer>Prices in US dollars.</footer></body></html>"
    )
