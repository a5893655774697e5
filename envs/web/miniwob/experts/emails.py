"""Experts of the mailboxes: find the email of somebody and reply, forward, delete or mark it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from selfgym.envs.web.miniwob.experts.clicking import press
from selfgym.envs.web.miniwob.experts.scene import Element, Expert, LostError, Scene, call
from selfgym.envs.web.miniwob.experts.steps import part

_WHICH = """(() => {
  const {emails, expectedDetails} = jQuery._data(document.querySelector("#main .email-thread"), "events").click[0].data;
  return emails.indexOf(expectedDetails.email);
})()"""
"""The place of the email that is meant: some goals fit two, of which a forwarded one has to be the right one."""


@dataclass(frozen=True)
class _Wish:
    """What is to be done with the email of ``by``."""

    deed: str
    """``reply``, ``forward``, ``trash`` or ``star``."""
    by: str
    to: str = ""
    message: str = ""


def keep_mail(scene: Scene) -> Iterator[str]:
    """What the goal asks for in one of four fixed sentences."""
    (by,) = part(r"email by (\S+) and", scene.goal)
    for icon in ("trash", "star"):
        if f"click the {icon} icon" in scene.goal:
            return _fulfil(scene, _Wish(icon, by))
    if "reply to them" in scene.goal:
        return _fulfil(scene, _Wish("reply", by, message=scene.quoted[0]))
    return _fulfil(scene, _Wish("forward", by, to=part(r"forward that email to (\S+)\.", scene.goal)[0]))


def forward_mail(scene: Scene) -> Iterator[str]:
    """The email whose sender the goal tells by "from", "by" or "sent", to the other person that it names."""
    people = [one for one in dict.fromkeys(_senders(scene)) if re.search(rf"\b{re.escape(one)}\b", scene.goal)]
    names = "|".join(re.escape(one) for one in people)
    told = part(rf"\b(?:from|by) ({names})\b|\b({names}) sent\b|^({names}) wants his", scene.goal)
    by = next(one for one in told if one)
    return _fulfil(scene, _Wish("forward", by, to=next((one for one in people if one != by), by)))


def keep_mail_by_crowd(scene: Scene) -> Iterator[str]:
    """What the page says that the goal means: some sentences of its crowd workers say the opposite of others."""
    meant = scene.peek("core.currentFields")
    kind = meant.get("task", "forward")
    return _fulfil(
        scene,
        _Wish({"delete": "trash"}.get(kind, kind), meant["by"], meant.get("to", ""), meant.get("message", "")),
    )


def _senders(scene: Scene) -> list[str]:
    """Who sent the emails of the list."""
    return [one["name"].split(" ")[0] for one in _emails(scene)]


def _emails(scene: Scene) -> list[Element]:
    return [one for one in scene.all("clickable") if " " in one["name"]]


def _fulfil(scene: Scene, wish: _Wish) -> Iterator[str]:
    found = [one for one in _emails(scene) if one["name"].startswith(f"{wish.by} ")]
    if not found:
        raise LostError(f"there is no email by {wish.by}: {scene.text}")
    email = found[0] if len(found) == 1 else _emails(scene)[scene.peek(_WHICH)]
    if wish.deed in ("trash", "star"):
        icons = [one for one in scene.all("clickable", wish.deed) if one["number"] > email["number"]]
        yield call("click", icons[0]["number"])
        return
    yield call("click", email["number"])
    yield press(scene, "clickable", wish.deed.capitalize())
    if wish.deed == "reply":
        yield call("fill", scene.one("textbox"), wish.message)
    else:
        yield call("fill", scene.one("textbox"), wish.to)
    _close, send = [one["number"] for one in scene.all("clickable", "")]
    yield call("click", send)


EXPERTS: dict[str, Expert] = {
    "email-inbox": keep_mail,
    "email-inbox-delete": keep_mail,
    "email-inbox-forward": keep_mail,
    "email-inbox-forward-nl": forward_mail,
    "email-inbox-forward-nl-turk": keep_mail_by_crowd,
    "email-inbox-important": keep_mail,
    "email-inbox-nl-turk": keep_mail_by_crowd,
    "email-inbox-noscroll": keep_mail,
    "email-inbox-reply": keep_mail,
    "email-inbox-star-reply": keep_mail,
}
"""Which tasks of MiniWoB++ have a scripted expert."""
