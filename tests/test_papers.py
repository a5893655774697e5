"""The index of papers and the code name each other: no paper that a file cites is missing, no file is named in vain."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
ROOMS = ("envs", "agents", "memory", "trainers", "benchmarks", "src/selfgym/cli", "src/selfgym/viewer")
CITED = re.compile(r"arXiv\s+(\d{4}\.\d{5})|arxiv\.org/abs/(\d{4}\.\d{5})")
LISTED = re.compile(r"\(https://arxiv\.org/abs/(\d{4}\.\d{5})\)")
FILE = re.compile(r"\]\(\.\./([\w/]+\.py)\)")


def cited() -> set[tuple[str, str]]:
    """(paper, file) of every citation in the code."""
    files = [path for room in ROOMS for path in (ROOT / room).rglob("*.py") if "__pycache__" not in path.parts]
    return {
        (first or second, str(path.relative_to(ROOT)))
        for path in files
        for first, second in CITED.findall(path.read_text(encoding="utf-8"))
    }


def listed() -> set[tuple[str, str]]:
    """(paper, file) of every row of the index."""
    rows = [line for line in (ROOT / "docs/papers.md").read_text(encoding="utf-8").splitlines() if line[:3] == "| ["]
    return {(paper, file) for row in rows for paper in LISTED.findall(row) for file in FILE.findall(row)}


def test_every_citation_is_in_the_index() -> None:
    assert not cited() - listed()


def test_the_index_names_no_file_that_does_not_cite_its_paper() -> None:
    assert not listed() - cited()
