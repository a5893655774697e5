"""The last word by embeddings, with a real (tiny, random) encoder that is loaded as any other."""

from __future__ import annotations

import pytest

from selfgym.memory.item import Item
from selfgym.memory.library import Status
from selfgym.memory.rerank import embedding_rerank
from selfgym.memory.retrieve import SearchConfig, search
from selfgym.memory.views import plain_line

WORDS = ["mug", "cup", "is", "are", "in", "on", "cabinet", "shelf", "blue", "red", "the", "a", ":", "s", "find"]


@pytest.fixture(scope="module")
def encoder(tmp_path_factory):
    """The folder of an encoder, as a hub would hold it."""
    torch = pytest.importorskip("torch")
    from transformers import BertConfig, BertModel, BertTokenizerFast

    folder = tmp_path_factory.mktemp("encoder")
    (folder / "vocab.txt").write_text("\n".join(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *WORDS]))
    BertTokenizerFast(str(folder / "vocab.txt")).save_pretrained(folder)
    with torch.random.fork_rng():
        torch.manual_seed(0)
        config = BertConfig(
            vocab_size=len(WORDS) + 5, hidden_size=32, num_hidden_layers=1, num_attention_heads=2, intermediate_size=32
        )
        BertModel(config).save_pretrained(folder)
    return folder


def item(title, body):
    return Item(kind="insight", title=title, body=body)


def test_the_same_text_is_nearest_and_the_batch_does_not_matter(encoder):
    near = embedding_rerank(encoder, weight=0.5)
    items = [item("mug", "mug is in cabinet"), item("cup", "red cup is on the shelf: a cup in a cabinet")]
    [first, second] = near(plain_line(items[0]), items)
    assert first == pytest.approx(0.5, abs=1e-5)
    assert 0 <= second < first
    assert embedding_rerank(encoder, weight=0.5)(plain_line(items[0]), items[1:]) == pytest.approx([second], abs=1e-5)
    assert near("x", []) == []


def test_it_reorders_what_the_search_found(encoder, library):
    items = [item("mug", f"mug is in the {place}") for place in ("cabinet", "shelf", "red cup")]
    for one in items:
        library.propose(one)
        library.move(one.id, Status.ACTIVE, "for the test")
    config = SearchConfig(explore=0.0, floor=0.0)
    near = embedding_rerank(encoder, weight=1e6)
    goal = "find the mug in the red"
    by_nearness = sorted(items, key=lambda one: -near(goal, [one])[0])
    found = [hit.item.id for hit in search(library, goal, config=config, rerank=near)]
    assert found == [one.id for one in by_nearness][: len(found)]
    assert len(found) >= 2
