"""Tasks with the editor and the calculator."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from random import Random

from selfgym.envs.desktop.actions import Action, Key, Type
from selfgym.envs.desktop.looking import Look, find, finished, press
from selfgym.envs.desktop.mini.tasks.task import Task, Template
from selfgym.envs.desktop.mini.tasks.words import file_names, home, line
from selfgym.envs.desktop.mini.world import HOME


def _new(rng: Random) -> Task:
    files, names, _ = home(rng)
    name = next(one for one in file_names(rng, 8) if one not in names)
    text = line(rng)

    def solution(look: Look) -> Iterator[Action]:
        yield press(look, "Editor")
        yield Type(text)
        yield Key("ctrl+s")
        yield Type(name)
        yield press(look, "Save", "push button")
        yield finished()

    words = f'Write "{text}" into a new file and save it as {name} in the home folder.'
    return Task(words, solution, files, {**files, f"{HOME}/{name}": text})


def _edit(rng: Random, keys: tuple[Action, ...], change: Callable[[str], str], words: str) -> Task:
    """Open a file, press keys, save."""
    files, names, _ = home(rng)
    name = names[0]
    path = f"{HOME}/{name}"

    def solution(look: Look) -> Iterator[Action]:
        yield press(look, "Files")
        yield press(look, name, count=2)
        yield from keys
        yield Key("ctrl+s")
        yield finished()

    return Task(words.format(name=name), solution, files, {**files, path: change(files[path])})


def _append(rng: Random) -> Task:
    text = line(rng)
    keys = (Key("ctrl+a"), Key("Right"), Type(text))
    return _edit(rng, keys, lambda old: old + text, f'Add the line "{text}" at the end of {{name}} and save it.')


def _replace(rng: Random) -> Task:
    old, new = "and", rng.choice(["or", "with", "plus", "but not"])
    keys = (Key("ctrl+h"), Type(f"{old}\n{new}\n"))
    words = f'In {{name}}, replace every "{old}" by "{new}" and save the file.'
    return _edit(rng, keys, lambda text: text.replace(old, new), words)


def _copy_text(rng: Random) -> Task:
    files, names, _ = home(rng)
    name = names[0]
    new = next(one for one in file_names(rng, 8) if one not in names)

    def solution(look: Look) -> Iterator[Action]:
        yield press(look, "Files")
        yield press(look, name, count=2)
        yield Key("ctrl+a")
        yield Key("ctrl+c")
        yield Key("ctrl+n")
        yield Key("ctrl+v")
        yield Key("ctrl+s")
        yield Type(f"{new}\n")
        yield finished()

    words = f"Make a new file {new} in the home folder with the same text as {name}."
    return Task(words, solution, files, {**files, f"{HOME}/{new}": files[f"{HOME}/{name}"]})


def _product(rng: Random) -> Task:
    one, other = rng.randrange(12, 99), rng.randrange(12, 99)

    def solution(look: Look) -> Iterator[Action]:
        yield press(look, "Calculator")
        yield Type(f"{one}*{other}=")
        yield finished(find(look, "Display").value)

    return Task(f"What is {one} times {other}? Answer with the number.", solution, answer=str(one * other))


def _sum_into(rng: Random) -> Task:
    """The calculator's result into a file."""
    files, names, _ = home(rng)
    numbers = [rng.randrange(100, 999) for _ in range(3)]
    name = next(one for one in file_names(rng, 8) if one not in names)

    def solution(look: Look) -> Iterator[Action]:
        yield press(look, "Calculator")
        yield Type("+".join(map(str, numbers)) + "=")
        yield Key("ctrl+c")
        yield press(look, "Editor")
        yield Key("ctrl+v")
        yield Key("ctrl+s")
        yield Type(f"{name}\n")
        yield finished()

    told = f"{numbers[0]}, {numbers[1]} and {numbers[2]}"
    words = f"Add up {told} and save the sum, and nothing else, as {name} in the home folder."
    return Task(words, solution, files, {**files, f"{HOME}/{name}": str(sum(numbers))})


def _first_line(rng: Random) -> Task:
    text = line(rng)
    words = f'Put the line "{text}" before the first line of {{name}} and save it.'
    return _edit(rng, (Type(f"{text}\n"),), lambda old: f"{text}\n{old}", words)


def _drop_line(rng: Random) -> Task:
    keys = (Key("shift+Down"), Key("Delete"))
    return _edit(rng, keys, lambda old: old.partition("\n")[2], "Remove the first line of {name} and save it.")


def _empty(rng: Random) -> Task:
    keys = (Key("ctrl+a"), Key("Delete"))
    return _edit(rng, keys, lambda old: "", "Remove all text from {name} and save it.")


def _duplicate_line(rng: Random) -> Task:
    keys = (Key("shift+Down"), Key("ctrl+c"), Key("Left"), Key("ctrl+v"))
    words = "Make the first line of {name} stand there twice, and save it."
    return _edit(rng, keys, lambda old: old.partition("\n")[0] + "\n" + old, words)


def _save_as(rng: Random) -> Task:
    files, names, folders = home(rng)
    name, folder = names[0], folders[0]

    def solution(look: Look) -> Iterator[Action]:
        yield press(look, "Files")
        yield press(look, name, count=2)
        yield press(look, "File", "menu")
        yield press(look, "Save as...    ctrl+shift+s", "menu item")
        yield press(look, f"{folder}/", "list item")
        yield Type(f"{name}\n")
        yield finished()

    words = f"Open {name} with the editor and save it under the same name in the folder {folder} as well."
    return Task(words, solution, files, {**files, f"{HOME}/{folder}/{name}": files[f"{HOME}/{name}"]})


def _quotient(rng: Random) -> Task:
    divisor, result = rng.randrange(3, 40), rng.randrange(12, 99)

    def solution(look: Look) -> Iterator[Action]:
        yield press(look, "Calculator")
        for character in f"{divisor * result}/{divisor}=":
            yield press(look, character, "push button")
        yield finished(find(look, "Display").value)

    words = f"What is {divisor * result} divided by {divisor}? Answer with the number."
    return Task(words, solution, answer=str(result))


def _join(rng: Random) -> Task:
    """Two files, one after the other, as a third."""
    files, names, _ = home(rng)
    first, second = names[:2]
    new = next(one for one in file_names(rng, 8) if one not in names)

    def solution(look: Look) -> Iterator[Action]:
        yield press(look, "Files")
        yield press(look, second, "list item", count=2)
        yield Key("ctrl+a")
        yield Key("ctrl+c")
        yield press(look, "x", "push button")
        yield press(look, first, "list item", count=2)
        yield Key("ctrl+a")
        yield Key("Right")
        yield Key("ctrl+v")
        yield Key("ctrl+shift+s")
        yield Type(f"{new}\n")
        yield finished()

    text = files[f"{HOME}/{first}"] + files[f"{HOME}/{second}"]
    words = f"Make a file {new} in the home folder with the text of {first} and after it that of {second}; leave both."
    return Task(words, solution, files, {**files, f"{HOME}/{new}": text})


TEMPLATES = (
    Template("write-new", 1, _new),
    Template("calculate", 1, _product),
    Template("divide", 1, _quotient),
    Template("write-append", 2, _append),
    Template("write-first-line", 2, _first_line),
    Template("write-drop-line", 2, _drop_line),
    Template("write-empty", 2, _empty),
    Template("write-line-twice", 2, _duplicate_line),
    Template("write-save-as", 2, _save_as),
    Template("write-join", 3, _join),
    Template("write-replace", 2, _replace),
    Template("write-copy", 3, _copy_text),
    Template("calculate-into-file", 3, _sum_into),
)
