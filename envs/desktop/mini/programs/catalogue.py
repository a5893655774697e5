"""The programs there are: what the task bar starts, and what a snapshot may hold."""

from __future__ import annotations

from collections.abc import Callable

from selfgym.envs.desktop.mini.program import Program
from selfgym.envs.desktop.mini.programs.calculator import Calculator
from selfgym.envs.desktop.mini.programs.dialogs import Ask, Choose
from selfgym.envs.desktop.mini.programs.editor import Editor
from selfgym.envs.desktop.mini.programs.files import Files
from selfgym.envs.desktop.mini.programs.form import Form
from selfgym.envs.desktop.mini.programs.settings import Settings
from selfgym.envs.desktop.mini.programs.sheet import Sheet

LAUNCHERS: dict[str, Callable[[], Program]] = {
    "Files": Files, "Editor": Editor, "Sheet": Sheet, "Calculator": Calculator, "Registration": Form,
    "Settings": Settings,
}  # fmt: skip
PROGRAMS: dict[str, type[Program]] = {
    "files": Files, "editor": Editor, "sheet": Sheet, "calculator": Calculator, "form": Form, "settings": Settings,
    "ask": Ask, "choose": Choose,
}  # fmt: skip
