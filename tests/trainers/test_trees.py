"""Training on the tree is training on its rows: the same log-probabilities, losses and gradients."""

from __future__ import annotations

import copy

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from transformers import LlamaConfig, LlamaForCausalLM

from selfgym.trainers.objectives import clipped, dpo, log_likelihood, nft, token_logprobs
from selfgym.trainers.packing import collate, pack
from selfgym.trainers.rows import Row
from selfgym.trainers.trees import Tree, plant
from selfgym.trainers.update import UpdateConfig, update

VOCABULARY = 12
OBJECTIVES = {"likelihood": log_likelihood, "clipped": clipped(0.1, 0.3), "nft": nft(), "dpo": dpo(0.3)}


def small_model(attention: str = "sdpa") -> LlamaForCausalLM:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        config = LlamaConfig(
            vocab_size=VOCABULARY, hidden_size=32, intermediate_size=48, num_hidden_layers=3, num_attention_heads=2,
            num_key_value_heads=1, max_position_embeddings=128, initializer_range=0.1, attn_implementation=attention,
        )  # fmt: skip
        return LlamaForCausalLM(config).eval()


MODEL = small_model()


def make_row(ids, rng, sign=None, group="g"):
    ids = np.array(ids, np.int32)
    weight = rng.choice([0.0, 0.6, -0.4], len(ids)).astype(np.float32)
    if sign is not None:
        weight = np.full(len(ids), sign, np.float32)
    weight[0] = 0
    old = np.where(rng.random(len(ids)) < 0.8, -rng.random(len(ids)) * 4, np.nan).astype(np.float32)
    return Row(ids, weight, old, float(np.count_nonzero(weight)), group)


@st.composite
def trees(draw):
    """Rows grown from one another: any depth, equal rows, rows that end inside others, roots that share nothing.

    Those of a pair end differently: a text preferred to itself has a gradient of 0, and nothing is relative to that.
    """
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    grown: list[list[int]] = []
    for _ in range(2 * draw(st.integers(1, 4))):
        stem = grown[rng.integers(len(grown))] if grown and rng.random() < 0.85 else []
        cut = int(rng.integers(len(stem) + 1)) if stem else 0
        more = rng.integers(0, VOCABULARY, rng.integers(0 if cut > 1 else 2, 7)).tolist()
        grown.append([*stem[:cut], *more] if cut + len(more) > 1 else [*stem, *more, 1, 2])
    pairs = [make_row([*ids, 1 + n % 2], rng, sign=(1.0, -1.0)[n % 2]) for n, ids in enumerate(grown)]
    return pairs, [make_row(ids, rng) for ids in grown]


def one_by_one(model, objective, rows):
    """Loss and gradients without batching: a forward pass each, or each pair."""
    model.zero_grad()
    size = 2 if objective is OBJECTIVES["dpo"] else 1
    loss = sum(
        objective(model, collate(rows[at : at + size], pad_id=0)).to(torch.float64) for at in range(0, len(rows), size)
    )
    loss.backward()
    return float(loss.detach()), [p.grad.clone() for p in model.parameters() if p.grad is not None]


def on_the_tree(model, objective, rows):
    model.zero_grad()
    loss = objective(model, collate(rows, pad_id=0, tree=True))
    loss.backward()
    return float(loss.detach()), [p.grad.clone() for p in model.parameters() if p.grad is not None]


def gap(model, objective, rows):
    """How far loss and gradients on the tree are from those of the rows, relative to these."""
    (loss, gradients), (expected, plain) = on_the_tree(model, objective, rows), one_by_one(model, objective, rows)
    whole, ours = (torch.cat([gradient.flatten() for gradient in one]) for one in (plain, gradients))
    scale = float(whole.norm()) or 1.0
    return max(abs(loss - expected) / max(abs(expected), 1.0), float((ours - whole).norm()) / scale)


@pytest.mark.parametrize("name", OBJECTIVES)
@settings(max_examples=30, deadline=None)
@given(made=trees())
def test_loss_and_gradients_are_those_of_the_rows(name, made):
    pairs, rows = made
    assert gap(MODEL, OBJECTIVES[name], pairs if name == "dpo" else rows) < 1e-5


def three_levels():
    """The tree of the research notes: a prompt R, R A with leaves C and D, and R B."""
    rng = np.random.default_rng(0)
    prompt, a, b, c, d = (rng.integers(0, VOCABULARY, n).tolist() for n in (5, 4, 3, 3, 2))
    rows = [
        make_row(ids, rng, sign) for ids, sign in ((prompt + a + c, 1.3), (prompt + a + d, -0.4), (prompt + b, -0.9))
    ]
    for row in rows:
        row.weight[:5] = 0
    return rows


def test_every_shared_token_stands_once_and_branches_have_several_labels():
    tree = plant(three_levels())
    assert len(tree.ids) == 5 + 4 + 3 + 2 + 3
    assert tree.depth.max() == 11
    parents = tree.parent[tree.parent != torch.arange(len(tree.ids))].tolist()
    assert sum(parents.count(place) > 1 for place in set(parents)) == 2
    assert tree.segments() == [(5, ()), (4, (0,)), (3, (0, 1)), (2, (0, 1)), (3, (0,))]
    seen = tree.mask()[0, 0]
    for row, places in zip(three_levels(), tree.places, strict=True):
        path = places[: len(row)]
        assert tree.ids[path].tolist() == row.token_ids.tolist()
        assert [set(torch.nonzero(seen[q])[:, 0].tolist()) for q in path] == [
            set(path[: n + 1].tolist()) for n in range(len(path))
        ]


@pytest.mark.parametrize("wrong", ["positions", "mask", "first branch only"])
def test_what_is_known_to_be_wrong_is_noticed(wrong, monkeypatch):
    rows = three_levels()
    batch = collate(rows, pad_id=0, tree=True)
    right = token_logprobs(MODEL, batch).detach()
    if wrong == "positions":
        batch.tree.depth.copy_(torch.arange(len(batch.tree.ids)))
    elif wrong == "mask":  # everything before: that is one segment
        monkeypatch.setattr(Tree, "segments", lambda self: [(len(self.ids), ())])
    else:
        known = batch.tree.segments()
        monkeypatch.setattr(Tree, "segments", lambda self: known)
        batch.tree.parent[1:] = torch.arange(len(batch.tree.ids) - 1)
    assert (token_logprobs(MODEL, batch).detach() - right).abs().max() > 1e-3


def test_a_clip_is_of_each_row_and_not_of_what_they_sum_to():
    rows = three_levels()[:2]
    for row in rows:
        row.old_logprob[:] = -5.0
    assert gap(MODEL, clipped(0.2, 0.2), rows) < 1e-5
    batch = collate(rows, pad_id=0, tree=True)
    apart = float(clipped(0.2, 0.2)(MODEL, batch).detach())
    batch.weight[:, :9] = batch.weight[:, :9].sum(0) / 2
    assert float(clipped(0.2, 0.2)(MODEL, batch).detach()) != pytest.approx(apart, rel=1e-3)


def test_eager_attention_gives_the_same():
    assert gap(small_model("eager"), clipped(), three_levels()) < 1e-5


def test_another_attention_is_refused():
    model = small_model()
    model.config._attn_implementation = "flash_attention_2"
    with pytest.raises(ValueError, match=r"trees cannot be trained with attention 'flash_attention_2'"):
        log_likelihood(model, collate(three_levels(), pad_id=0, tree=True))


@pytest.mark.parametrize("how", ["whole", "lora", "checkpointing", "accumulation", "bf16"])
def test_an_update_on_trees_ends_with_the_weights_of_one_on_rows(how):
    rng = np.random.default_rng(3)
    rows = [
        make_row([*([group] * 6), *rng.integers(0, VOCABULARY, 5)], rng, group=f"{group}")
        for group in range(4)
        for _ in range(4)
    ]
    budget = {"batch_tokens": 1000, "accumulate": 1} if how != "accumulation" else {"batch_tokens": 60, "accumulate": 8}
    trained = []
    for tree in (False, True):
        model = copy.deepcopy(MODEL)
        if how == "lora":
            from peft import LoraConfig, get_peft_model

            with torch.random.fork_rng():
                torch.manual_seed(1)
                lora = LoraConfig(r=4, target_modules="all-linear", task_type="CAUSAL_LM", init_lora_weights=False)
                model = get_peft_model(model, lora)
        if how == "checkpointing":
            model.activation_checkpointing_enable()
        settings = UpdateConfig(
            steps=1 if how == "accumulation" else 3, learning_rate=1e-3, bf16=how == "bf16", tree=tree, clip=1e9,
            **budget,
        )  # fmt: skip
        update(model, rows, settings, seed=0, pad_id=0, objective=log_likelihood)
        trained.append(torch.cat([p.detach().flatten() for p in model.parameters() if p.requires_grad]))
    start = torch.cat([p.detach().flatten() for p in MODEL.parameters()]) if how != "lora" else trained[0]
    moved = float((trained[0] - start).abs().max())
    assert how == "lora" or moved > 1e-4
    # Adam's first steps are near the sign of the gradient: where that is about 0, the two may differ in it
    close = (trained[0] - trained[1]).abs() < (2e-5 if how != "bf16" else 1e-3)
    assert float(close.float().mean()) > (0.999 if how != "bf16" else 0.97)


def test_groups_stay_together_and_shared_tokens_are_counted_once():
    rng = np.random.default_rng(0)
    rows = [make_row([g] * 50 + [n] * 10, rng, group=f"{g}") for n in range(4) for g in range(6)]
    for batch in pack(rows, tokens=100, seed=1, tree=True):
        assert len(batch) == 4
        assert len({rows[number].group for number in batch}) == 1
    plain = pack(rows, tokens=120, seed=1)
    assert sorted(number for batch in plain for number in batch) == list(range(len(rows)))
    assert all(len(batch) == 2 for batch in plain)
    assert all(len({rows[number].group for number in batch}) == 1 for batch in plain)
    assert pack(rows, tokens=10, seed=1, tree=True) != pack(rows, tokens=10, seed=2, tree=True)


def test_a_parted_pair_is_told():
    rng = np.random.default_rng(0)
    with pytest.raises(ValueError, match="a preference pair was parted: raise batch_tokens"):
        dpo()(MODEL, collate([make_row([1, 2, 3], rng, 1.0)], pad_id=0))


@pytest.mark.filterwarnings("ignore:flex_attention called without torch.compile")
def test_flex_attention_sees_the_same():
    """Forward only and uncompiled: on a CPU it has no backward pass, and compiling takes half a minute."""
    batch = collate(three_levels(), pad_id=0, tree=True)
    with torch.no_grad(), torch.compiler.set_stance("force_eager"):
        gap = token_logprobs(small_model("flex_attention"), batch) - token_logprobs(MODEL, batch)
    assert gap.abs().max() < 1e-5
