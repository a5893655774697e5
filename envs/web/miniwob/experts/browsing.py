"""Experts of small programs with pages, trees, posts and menus: find the right one, then act on it."""

from __future__ import annotations

from collections.abc import Iterator

from selfgym.envs.web.miniwob.experts.scene import Element, Expert, LostError, Scene, call
from selfgym.envs.web.miniwob.experts.steps import ordinal, part, rows, submit


def unicode_test(scene: Scene) -> Iterator[str]:
    """The button that the goal quotes, whatever its letters."""
    yield call("click", scene.one("button", scene.quoted[0]))


def navigate_tree(scene: Scene) -> Iterator[str]:
    """Open the folders one by one until the name is there."""
    name = scene.quoted[0]
    while not (found := scene.all("clickable", name)):
        closed = [one for one in scene.all("clickable") if "expandable-hitarea" in one["name"]]
        if not closed:
            raise LostError(f"no folder is left to open, and none holds {name!r}")
        yield call("click", closed[0]["number"])
    yield call("click", found[-1]["number"])  # the label, which comes after its line


def phone_book(scene: Scene) -> Iterator[str]:
    """Turn the pages until the name is there."""
    name, wanted = part(r"Find (.+) in the contact book and click on their (phone|email|address)", scene.goal)
    while f"## {name}" not in scene.text.splitlines():
        yield call("click", scene.one("link", ">"))
    yield call("click", scene.all("clickable")[["phone", "email", "address"].index(wanted)]["number"])


def search_engine(scene: Scene) -> Iterator[str]:
    """The results come in threes, a page each."""
    page, place = divmod(ordinal(scene.goal), 3)
    yield call("fill", scene.one("textbox"), scene.quoted[0])
    yield call("click", scene.one("button", "Search"))
    if page:
        yield call("click", scene.one("link", str(page + 1)))
    yield call("click", scene.all("link")[place]["number"])


def _posts(scene: Scene, user: str) -> list[dict[str, int]]:
    """The icons of each post by ``user``: numbers by name."""
    posts: list[dict[str, int]] = []
    mine = False
    for row in rows(scene):
        if not isinstance(row, str):
            if mine:
                posts[-1][row["name"]] = row["number"]
        elif "@" in row:
            mine = user in row.split()
            if mine:
                posts.append({})
    return posts


def social_media(scene: Scene) -> Iterator[str]:
    """An icon of a post, or an entry of the menu behind its last icon."""
    (user,), wanted = part(r"the user (@\S+),", scene.goal), scene.quoted[0]
    icons = _posts(scene, user)[0]
    icon = icons.get(wanted.lower(), icons["more"])
    yield call("hover", icon)  # the page loads another picture for it, and nothing can be pressed meanwhile
    yield call("click", icon)
    if icon == icons["more"]:
        entries = [one for one in scene.all("clickable") if one["name"] in (wanted, f"{wanted} {user}")]
        yield call("click", entries[0]["number"])


def social_media_posts(scene: Scene) -> Iterator[str]:
    """The same icon of all posts by a user, or of as many as the goal says."""
    count, user = part(r"button on (all|\d+) posts? by (@\S+) ", scene.goal)
    posts = _posts(scene, user)
    for icons in posts if count == "all" else posts[: int(count)]:
        yield call("click", icons[scene.quoted[0].lower()])
    yield submit(scene)


def _menu(scene: Scene) -> dict[str, list[Element]]:
    """What stands below each dish: what it is made of, and the signs for less and more."""
    dishes: dict[str, list[Element]] = {}
    dish = ""
    for row in rows(scene):
        if isinstance(row, str):
            dish = row.strip()
        else:
            dishes.setdefault(dish, []).append(row)
    return dishes


def order_food(scene: Scene) -> Iterator[str]:
    """One each of the dishes by name, or the first dish of a kind as often as it is wanted."""
    menu = _menu(scene)
    if "one of each item:" in scene.goal:
        order = [name.strip() for name in scene.goal.partition(":")[2].split(",")]
    else:
        count, kind = part(r"Order (\d+) items that are (\S+)", scene.goal)
        order = [next(dish for dish, row in menu.items() if kind in [one["name"] for one in row])] * int(count)
    for dish in order:
        yield call("click", next(one["number"] for one in menu[dish] if one["name"] == "+"))
    yield call("click", scene.one("button", "Order!"))


def terminal(scene: Scene) -> Iterator[str]:
    """List the files and remove the first that ends as it should."""
    yield call("click", scene.look.elements[0]["number"])
    yield call("keyboard_type", "ls")
    yield call("keyboard_press", "Enter")
    names = [one["name"] for one in scene.look.elements]
    files = names[names.index("ls") + 1].split()
    if "no file extension" in scene.goal:
        chosen = next(file for file in files if "." not in file)
    else:
        (ending,) = part(r"extension \.(\S+)", scene.goal)
        # the page looks for the ending at the first place it occurs, so not every file that ends so is right to it
        fitting = sorted(files, key=lambda file: file.find(ending) + len(ending) != len(file))
        chosen = next(file for file in fitting if file.endswith("." + ending))
    yield call("keyboard_type", f"rm {chosen}")
    yield call("keyboard_press", "Enter")


EXPERTS: dict[str, Expert] = {
    "navigate-tree": navigate_tree,
    "order-food": order_food,
    "phone-book": phone_book,
    "search-engine": search_engine,
    "social-media": social_media,
    "social-media-all": social_media_posts,
    "social-media-some": social_media_posts,
    "terminal": terminal,
    "unicode-test": unicode_test,
}
