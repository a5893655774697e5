"""Tasks with the file manager."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

from selfgym.envs.desktop.actions import Action, Key, Type
from selfgym.envs.desktop.looking import Look, find, finished, press
from selfgym.envs.desktop.mini.tasks.task import Task, Template
from selfgym.envs.desktop.mini.tasks.words import FOLDERS, file_names, home, line
from selfgym.envs.desktop.mini.world import HOME


def _delete(rng: Random) -> Task:
    files, names, _ = home(rng)
    name = names[0]

    def solution(look: Look) -> Iterator[Action]:
        yield press(look, "Files")
        yield press(look, name)
        yield Key("Delete")
        yield press(look, "Delete", "push button")
        yield finished()

    wanted = {path: text for path, text in files.items() if path != f"{HOME}/{name}"}
    return Task(f"Delete the file {name}.", solution, files, wanted)


def _rename(rng: Random) -> Task:
    files, names, _ = home(rng)
    old = names[0]
    new = next(name for name in file_names(rng, 8) if name not in names)

    def solution(look: Look) -> Iterator[Action]:
        yield press(look, "Files")
        yield press(look, old)
        yield Key("F2")
        yield Type(new)
        yield Key("Return")
        yield finished()

    wanted = {path if path != f"{HOME}/{old}" else f"{HOME}/{new}": text for path, text in files.items()}
    return Task(f"Rename the file {old} to {new}.", solution, files, wanted)


def _folder(rng: Random) -> Task:
    files, _, folders = home(rng)
    new = rng.choice([name for name in FOLDERS if name not in folders])

    def solution(look: Look) -> Iterator[Action]:
        yield press(look, "Files")
        yield press(look, "File", "menu")
        yield press(look, "New folder...    ctrl+shift+n", "menu item")
        yield Type(new)
        yield press(look, "Create", "push button")
        yield finished()

    return Task(f"Create a folder called {new} in the home folder.", solution, files, {**files, f"{HOME}/{new}/": ""})


def _put(rng: Random, moving: bool) -> Task:
    files, names, folders = home(rng)
    name, folder = names[0], folders[0]

    def solution(look: Look) -> Iterator[Action]:
        yield press(look, "Files")
        yield press(look, name)
        yield Key("ctrl+x" if moving else "ctrl+c")
        yield press(look, f"{folder}/", count=2)
        yield Key("ctrl+v")
        yield finished()

    wanted = {**files, f"{HOME}/{folder}/{name}": files[f"{HOME}/{name}"]}
    if moving:
        del wanted[f"{HOME}/{name}"]
    verb = "Move" if moving else "Copy"
    return Task(f"{verb} the file {name} into the folder {folder}.", solution, files, wanted)


def _move(rng: Random) -> Task:
    return _put(rng, moving=True)


def _copy(rng: Random) -> Task:
    return _put(rng, moving=False)


def _sort(rng: Random) -> Task:
    """Every file into a new folder."""
    files, names, folders = home(rng, files=2, folders=1)
    new = rng.choice([name for name in FOLDERS if name not in folders])

    def solution(look: Look) -> Iterator[Action]:
        yield press(look, "Files")
        yield Key("ctrl+shift+n")
        yield Type(f"{new}\n")
        for name in names:
            yield press(look, name)
            yield Key("ctrl+x")
            yield press(look, f"{new}/", count=2)
            yield Key("ctrl+v")
            yield press(look, "Up")
        yield finished()

    wanted = {path: text for path, text in files.items() if path.endswith("/")} | {f"{HOME}/{new}/": ""}
    wanted |= {f"{HOME}/{new}/{name}": files[f"{HOME}/{name}"] for name in names}
    both = " and ".join(names)
    return Task(f"Create a folder called {new} in the home folder and move {both} into it.", solution, files, wanted)


def _delete_folder(rng: Random) -> Task:
    files, _, folders = home(rng)
    gone = f"{HOME}/{folders[0]}/"
    files[f"{gone}{file_names(rng, 1)[0]}"] = line(rng)

    def solution(look: Look) -> Iterator[Action]:
        yield press(look, "Files")
        yield press(look, f"{folders[0]}/")
        yield Key("Delete")
        yield press(look, "Delete", "push button")
        yield finished()

    wanted = {path: text for path, text in files.items() if not path.startswith(gone)}
    return Task(f"Delete the folder {folders[0]} with everything in it.", solution, files, wanted)


def _rename_folder(rng: Random) -> Task:
    files, _, folders = home(rng)
    old = folders[0]
    new = rng.choice([name for name in FOLDERS if name not in folders])
    files[f"{HOME}/{old}/{file_names(rng, 1)[0]}"] = line(rng)

    def solution(look: Look) -> Iterator[Action]:
        yield press(look, "Files")
        yield press(look, f"{old}/")
        yield Key("F2")
        yield Type(f"{new}\n")
        yield finished()

    wanted = {path.replace(f"{HOME}/{old}/", f"{HOME}/{new}/"): text for path, text in files.items()}
    return Task(f"Rename the folder {old} to {new}.", solution, files, wanted)


def _duplicate(rng: Random) -> Task:
    files, names, _ = home(rng)
    name = names[0]

    def solution(look: Look) -> Iterator[Action]:
        yield press(look, "Files")
        yield press(look, name)
        yield Key("ctrl+c")
        yield Key("ctrl+v")
        yield finished()

    wanted = {**files, f"{HOME}/copy of {name}": files[f"{HOME}/{name}"]}
    words = f"Copy {name} and paste it into the same folder; the copy may keep the name it gets."
    return Task(words, solution, files, wanted)


def _move_up(rng: Random) -> Task:
    files, names, folders = home(rng)
    name = next(one for one in file_names(rng, 8) if one not in names)
    inside = f"{HOME}/{folders[0]}/{name}"
    files[inside] = line(rng)

    def solution(look: Look) -> Iterator[Action]:
        yield press(look, "Files")
        yield press(look, f"{folders[0]}/", count=2)
        yield press(look, name)
        yield Key("ctrl+x")
        yield press(look, "Up")
        yield Key("ctrl+v")
        yield finished()

    wanted = {path if path != inside else f"{HOME}/{name}": text for path, text in files.items()}
    return Task(f"Move {name} from the folder {folders[0]} into the home folder.", solution, files, wanted)


def _count(rng: Random) -> Task:
    files, _, folders = home(rng)
    names = file_names(rng, rng.randrange(2, 8))
    files |= {f"{HOME}/{folders[0]}/{name}": line(rng) for name in names}

    def solution(look: Look) -> Iterator[Action]:
        yield press(look, "Files")
        yield press(look, f"{folders[0]}/", count=2)
        yield finished(str(sum(node.role == "list item" for node in look())))

    words = f"How many files are in the folder {folders[0]}? Answer with the number."
    return Task(words, solution, files, answer=str(len(names)))


def _containing(rng: Random) -> Task:
    """Which file has a word, for the answer."""
    files, names, _ = home(rng)
    name = rng.choice(names)
    files[f"{HOME}/{name}"] += "the key is under the mat\n"

    def solution(look: Look) -> Iterator[Action]:
        yield press(look, "Files")
        for one in names:
            yield press(look, one, "list item", count=2)
            text = find(look, "Text", "text").value
            yield press(look, "x", "push button")
            if "key" in text:
                yield finished(one)
                return

    words = 'Which file in the home folder says where the key is? Answer with its name, as in "plan.txt".'
    return Task(words, solution, files, answer=name)


TEMPLATES = (
    Template("files-delete", 1, _delete),
    Template("files-rename", 1, _rename),
    Template("files-folder", 1, _folder),
    Template("files-move", 2, _move),
    Template("files-copy", 2, _copy),
    Template("files-delete-folder", 1, _delete_folder),
    Template("files-rename-folder", 1, _rename_folder),
    Template("files-duplicate", 1, _duplicate),
    Template("files-count", 1, _count),
    Template("files-move-up", 2, _move_up),
    Template("files-sort", 3, _sort),
    Template("files-containing", 3, _containing),
)
