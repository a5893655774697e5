"""Tasks with the image viewer Viewnior, which turns, mirrors and crops pictures and saves them.

Its commands and dialogs are elements with names. The painter mtPaint was looked at too: a second window, its Settings
Toolbar, opens over the picture, and none of its tools has a name, so that only who sees the screen could use it.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from random import Random

from PIL import Image, ImageDraw

from selfgym.envs.desktop.actions import Action, Click, Type
from selfgym.envs.desktop.looking import Look, find, finished, press
from selfgym.envs.desktop.real.tasks.material import names
from selfgym.envs.desktop.real.tasks.pointing import beside, chosen
from selfgym.envs.desktop.real.tasks.task import Task, Template

_LARGEST = 4_000_000  # pixels of a picture that are looked at


def picture(rng: Random, width: int, height: int) -> Image.Image:
    """A picture that looks different however it is turned or mirrored."""
    image = Image.new("RGB", (width, height), _colour(rng))
    draw = ImageDraw.Draw(image)
    draw.rectangle((0, 0, width // 3, height // 4), _colour(rng))
    draw.rectangle((width // 2, height // 2, width - 8, height // 2 + 12), _colour(rng))
    draw.ellipse((8, height // 2, 8 + height // 3, height // 2 + height // 3), _colour(rng))
    return image


def in_png(image: Image.Image) -> bytes:
    """A picture as the contents of a file."""
    file = io.BytesIO()
    image.save(file, "png")
    return file.getvalue()


def looks_like(wanted: Image.Image) -> Callable[[bytes], bool]:
    """A check of a file: a PNG picture with exactly these pixels."""

    def check(content: bytes) -> bool:
        try:
            with Image.open(io.BytesIO(content), formats=["png"]) as image:
                if image.size != wanted.size or image.width * image.height > _LARGEST:
                    return False
                return bool(image.convert("RGB").tobytes() == wanted.tobytes())
        except (OSError, SyntaxError, ValueError):
            return False

    return check


def _colour(rng: Random) -> tuple[int, int, int]:
    return rng.randrange(256), rng.randrange(256), rng.randrange(256)


def _size(rng: Random) -> tuple[int, int]:
    return rng.randrange(200, 420, 2), rng.randrange(120, 300, 2)


def _edit(rng: Random, words: str, right: list[str], wrong: list[str], becomes: Callable[..., Image.Image]) -> Task:
    """Commands of the menu Image, one after the other, and saved."""
    name, other = names(rng, 2, ".png")
    image = picture(rng, *_size(rng))

    def play(look: Look, commands: list[str]) -> Iterator[Action]:
        for command in commands:
            yield from chosen(look, "Properties", "Image", command)
        yield press(look, "Save", "push button")
        yield finished()

    return Task(
        f"{words.format(name=name)} Save it under the same name.",
        (("viewnior", name),),
        lambda look: play(look, right),
        lambda look: play(look, wrong),
        {name: in_png(image), other: in_png(picture(rng, *_size(rng)))},
        {name: looks_like(becomes(image))},
    )


def _rotate(rng: Random) -> Task:
    clockwise, anti = "Rotate Clockwise", "Rotate Anti-clockwise"
    if rng.random() < 0.5:
        return _edit(
            rng,
            "Rotate the picture {name} clockwise by 90 degrees.",
            [clockwise],
            [anti],
            lambda image: image.transpose(Image.Transpose.ROTATE_270),
        )
    return _edit(
        rng,
        "Rotate the picture {name} anti-clockwise by 90 degrees.",
        [anti],
        [clockwise],
        lambda image: image.transpose(Image.Transpose.ROTATE_90),
    )


def _mirror(rng: Random) -> Task:
    left_right, top_bottom = "Flip Horizontal", "Flip Vertical"
    if rng.random() < 0.5:
        return _edit(
            rng,
            "Mirror the picture {name} so that its left side and its right side change places.",
            [left_right],
            [top_bottom],
            lambda image: image.transpose(Image.Transpose.FLIP_LEFT_RIGHT),
        )
    return _edit(
        rng,
        "Mirror the picture {name} so that its top and its bottom change places.",
        [top_bottom],
        [left_right],
        lambda image: image.transpose(Image.Transpose.FLIP_TOP_BOTTOM),
    )


def _turn_and_mirror(rng: Random) -> Task:
    return _edit(
        rng,
        "Rotate the picture {name} clockwise by 90 degrees, and then mirror it so that left and right change places.",
        ["Rotate Clockwise", "Flip Horizontal"],
        ["Rotate Clockwise", "Flip Vertical"],
        lambda image: image.transpose(Image.Transpose.ROTATE_270).transpose(Image.Transpose.FLIP_LEFT_RIGHT),
    )


def _crop(rng: Random) -> Task:
    name = names(rng, 1, ".png")[0]
    width, height = _size(rng)
    image = picture(rng, width, height)
    left, top = rng.randrange(10, width // 3), rng.randrange(10, height // 3)
    wide, high = rng.randrange(width // 3, width // 2), rng.randrange(height // 3, height // 2)

    def play(look: Look, numbers: dict[str, int]) -> Iterator[Action]:
        yield from chosen(look, "Properties", "Image", "Crop...")
        for label, number in numbers.items():
            x, y, breadth, tall = find(look, label, "label").box
            yield Click(x + breadth + tall, y + tall // 2, count=3)  # the field behind its label
            yield Type(f"{number}\t")
        yield press(look, "Crop", "push button")
        yield press(look, "Save", "push button")
        yield finished()

    right = {"X:": left, "Y:": top, "Width:": wide, "Height:": high}
    return Task(
        f"Crop the picture {name} to an area {wide} pixels wide and {high} pixels high, whose top left corner is at "
        f"X {left} and Y {top}. Save it under the same name.",
        (("viewnior", name),),
        lambda look: play(look, right),
        lambda look: play(look, {"Width:": wide, "Height:": high}),
        {name: in_png(image)},
        {name: looks_like(image.crop((left, top, left + wide, top + high)))},
    )


def _widest(rng: Random) -> Task:
    """The size of another picture of the folder, for the answer."""
    some = sorted(names(rng, 3, ".png"))
    widths = rng.sample(range(200, 900), 3)
    sizes = dict(zip(some, widths, strict=True))
    wanted = rng.choice(some[1:])

    def play(look: Look, name: str) -> Iterator[Action]:
        for _ in range(some.index(name)):
            yield press(look, "Next Image", "push button")
        yield from chosen(look, "Properties", "Properties...")
        yield finished(beside(look, "Width:").removesuffix(" px"))

    return Task(
        f"How many pixels wide is the picture {wanted}, which lies in the same folder? Answer with the number.",
        (("viewnior", some[0]),),
        lambda look: play(look, wanted),
        lambda look: play(look, some[0]),
        {name: in_png(picture(rng, width, 150)) for name, width in sizes.items()},
        answer=str(sizes[wanted]),
    )


TEMPLATES = (
    Template("viewnior-rotate", 1, _rotate, ("viewnior",)),
    Template("viewnior-mirror", 1, _mirror, ("viewnior",)),
    Template("viewnior-turn-and-mirror", 2, _turn_and_mirror, ("viewnior",)),
    Template("viewnior-crop", 2, _crop, ("viewnior",)),
    Template("viewnior-width", 2, _widest, ("viewnior",)),
)
