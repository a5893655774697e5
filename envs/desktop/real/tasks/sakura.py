"""Tasks with the terminal Sakura and the shell in it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from random import Random

from selfgym.envs.desktop.actions import Action, Type
from selfgym.envs.desktop.looking import Look, finished
from selfgym.envs.desktop.node import Node
from selfgym.envs.desktop.real.tasks.archives import tars
from selfgym.envs.desktop.real.tasks.material import folders, holds, lines, names, text, words
from selfgym.envs.desktop.real.tasks.pointing import only, until
from selfgym.envs.desktop.real.tasks.task import Play, Task, Template

OPEN = ("sakura",)
"""The terminal with a shell in the home folder."""


def ran(look: Look, *commands: str) -> Iterator[Action]:
    """Type commands into the terminal, each when the one before has ended."""
    for command in commands:
        before = only(look, "terminal").value
        yield Type(f"{command}\n")
        yield from until(look, _prompted(look, before))


def _prompted(look: Look, before: str) -> Callable[[Sequence[Node]], bool]:
    """Whether the prompt is back, and so what was asked for is done."""

    def back(_: Sequence[Node]) -> bool:
        shown = only(look, "terminal").value
        return shown != before and shown.rstrip().endswith("$")

    return back


def _shell(*commands: str) -> Play:
    def play(look: Look) -> Iterator[Action]:
        yield from ran(look, *commands)
        yield finished()

    return play


def _tar(rng: Random) -> Task:
    folder, other = folders(rng, 2)
    files = {f"{folder}/{name}": text(lines(rng, 2)) for name in names(rng, 3)}
    archive = f"{words(rng, 1)[0]}.tar.gz"
    return Task(
        f"Pack the folder {folder} with the files in it into the archive {archive} in the home folder "
        "(a tar archive, compressed by gzip). The folder itself stays.",
        (OPEN,),
        _shell(f"tar czf {archive} {folder}"),
        _shell(f"tar cf {archive} {folder}"),
        files | {f"{other}/{names(rng, 1)[0]}": text(lines(rng, 1))},
        {archive: tars(files)},
    )


def _count(rng: Random) -> Task:
    name, other, new = names(rng, 3)
    word, *rest = words(rng, 4)
    rows = [f"{rng.randint(2, 30)} {rng.choice([word, *rest])}" for _ in range(rng.randrange(20, 60))]
    rows += [f"{rng.randint(2, 30)} {word}"]
    number = sum(word in row for row in rows)

    def right(content: bytes) -> bool:
        return content.decode("utf-8", "replace").strip() == str(number)

    return Task(
        f'Count the lines of {name} that have the word "{word}" in them, and write the number, and nothing else, into '
        f"a new file {new}.",
        (OPEN,),
        _shell(f"grep -c {word} {name} > {new}"),
        _shell(f"wc -l < {name} > {new}"),
        {name: text(rows), other: text(lines(rng, 2))},
        {new: right},
    )


def _rename(rng: Random) -> Task:
    folder = folders(rng, 1)[0]
    old, new = rng.sample([".txt", ".md", ".bak", ".log", ".old"], 2)
    stems = names(rng, 6, ending="")
    kept = rng.choice([ending for ending in (".csv", ".html") if ending != old])
    changing = {stem: text(lines(rng, 1)) for stem in stems[:4]}
    return Task(
        f"In the folder {folder}, rename every file that ends with {old} so that it ends with {new} instead, as in "
        f"{stems[0]}{new}.",
        (OPEN,),
        _shell(f"cd {folder}", f'for f in *{old}; do mv "$f" "${{f%{old}}}{new}"; done'),
        _shell(f"cd {folder}", f'for f in *{old}; do mv "$f" "$f{new}"; done'),
        {f"{folder}/{stem}{old}": content for stem, content in changing.items()}
        | {f"{folder}/{stem}{kept}": text(lines(rng, 1)) for stem in stems[4:]},
        {f"{folder}/{stem}{old}": None for stem in changing}
        | {f"{folder}/{stem}{new}": content for stem, content in changing.items()},
    )


def _folders(rng: Random) -> Task:
    top, *others = folders(rng, 3)
    first, second = words(rng, 2)
    count = rng.randrange(3, 6)
    inside = [f"{first}-{number}" for number in range(1, count + 1)]
    return Task(
        f"Make a folder {top} in the home folder, with {count} folders in it: {inside[0]} to {inside[-1]}. Put an "
        f"empty file called {second}.txt into each of the {count}.",
        (OPEN,),
        _shell(f"mkdir -p {top}/{first}-{{1..{count}}}", f"for f in {top}/*; do touch $f/{second}.txt; done"),
        _shell(f"mkdir -p {top}/{first}-{{1..{count}}}", f"touch {top}/{second}.txt"),
        {f"{other}/{names(rng, 1)[0]}": text(lines(rng, 1)) for other in others},
        {f"{top}/": b""}
        | {f"{top}/{name}/": b"" for name in inside}
        | {f"{top}/{name}/{second}.txt": b"" for name in inside},
    )


def _find(rng: Random) -> Task:
    """Delete what ends with something, wherever it is."""
    places = ["", *(f"{folder}/" for folder in folders(rng, 3))]
    places[3] = places[2] + places[3]
    ending = rng.choice([".tmp", ".bak", ".old"])
    stems = names(rng, 10, ending="")
    gone = [rng.choice(places) + stem + ending for stem in stems[:3]] + [places[3] + stems[3] + ending]
    kept = [rng.choice(places) + stem + ".txt" for stem in stems[4:9]] + [f"{places[1]}{stems[9]}{ending}.txt"]
    return Task(
        f"Delete every file whose name ends with {ending}, in the home folder and in all folders below it, and nothing "
        "else.",
        (OPEN,),
        _shell(f"find . -name '*{ending}'", f"find . -name '*{ending}' -delete"),
        _shell(f"find . -name '*{ending}*'", f"find . -name '*{ending}*' -delete"),
        {f"{folder}": b"" for folder in places[1:]} | {path: text(lines(rng, 1)) for path in gone + kept},
        dict.fromkeys(gone),
    )


def _largest(rng: Random) -> Task:
    folder = folders(rng, 1)[0]
    found = names(rng, 7)
    sizes = rng.sample(range(2, 60), 7)
    files = {
        f"{folder}/{name}": text([lines(rng, 1)[0] for _ in range(size)])
        for name, size in zip(found, sizes, strict=True)
    }
    by_size = sorted(files, key=lambda path: len(files[path]))
    largest, new = by_size[-1].partition("/")[2], f"{words(rng, 1)[0]}.txt"
    return Task(
        f"Find out which file in the folder {folder} is the largest, and write its name, and nothing else, into a new "
        f"file {new} in the home folder.",
        (OPEN,),
        _shell(f"ls -S {folder} | head -1 > {new}", f"cat {new}"),
        _shell(f"ls {folder} | head -1 > {new}" if largest != sorted(found)[0] else f"ls {folder} > {new}"),
        files,
        {new: holds([largest])},
    )


TEMPLATES = (
    Template("sakura-tar", 1, _tar, ("sakura",)),
    Template("sakura-count", 1, _count, ("sakura",)),
    Template("sakura-rename", 2, _rename, ("sakura",)),
    Template("sakura-folders", 2, _folders, ("sakura",)),
    Template("sakura-find", 2, _find, ("sakura",)),
    Template("sakura-largest", 2, _largest, ("sakura",)),
)
