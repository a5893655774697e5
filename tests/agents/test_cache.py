"""The key-value cache changes the cost of an answer, never the answer."""

from __future__ import annotations

import random
import warnings

import pytest

torch = pytest.importorskip("torch")

from hypothesis import HealthCheck, given, settings  # noqa: E402
from hypothesis import strategies as st  # noqa: E402
from transformers import (  # noqa: E402
    AutoModelForCausalLM,
    GPT2Config,
    LlamaConfig,
    LlamaForCausalLM,
    MistralConfig,
    Qwen2Config,
    Qwen3Config,
)

from selfgym.agents.policies.policy import Completion, Prompt  # noqa: E402
from selfgym.agents.policies.scripted import CharacterTokenizer  # noqa: E402
from selfgym.agents.policies.transformers import TransformersPolicy  # noqa: E402

VOCABULARY = 61
SMALL = {
    "vocab_size": VOCABULARY,
    "hidden_size": 32,
    "intermediate_size": 48,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "max_position_embeddings": 128,
    "bos_token_id": None,
    "eos_token_id": None,
    "pad_token_id": None,
}


class Numbers(CharacterTokenizer):
    """Every id below the vocabulary is a character; there is no end token, so lengths are exact."""

    eos_token_id = None
    all_special_tokens = ()


def tiny(config=None):
    """A small model whose predictions are far from uniform, so that a wrong mask or position shows."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        model = AutoModelForCausalLM.from_config(config or LlamaConfig(**SMALL), attn_implementation="sdpa")
        with torch.no_grad():
            for weights in model.parameters():
                if weights.dim() > 1:
                    weights.mul_(6)
    return model.eval()


def policy(model, **options):
    return TransformersPolicy(model, Numbers(), name="tiny", **options)


def expected(model, prompt, rest):
    """Log-probabilities by one plain forward over the whole sequence."""
    with torch.inference_mode():
        logits = model(input_ids=torch.tensor([[*prompt, *rest]]), use_cache=False).logits[0].double()
    lines = logits.log_softmax(-1)[len(prompt) - 1 : len(prompt) + len(rest) - 1]
    return [float(line[token]) for line, token in zip(lines, rest, strict=True)]


def gap(model, prompt, rest, logprobs):
    return max((abs(a - b) for a, b in zip(expected(model, prompt, rest), logprobs, strict=True)), default=0.0)


@pytest.fixture(scope="module")
def llama():
    return tiny()


TOKENS = st.lists(st.integers(0, VOCABULARY - 1), min_size=1, max_size=12)
TURN = st.tuples(
    st.sampled_from("abcd"),  # whose context
    st.sampled_from(["extend", "extend", "fork", "truncate", "restart", "forget", "score", "repeat"]),
    TOKENS,
    st.integers(1, 5),  # new tokens
)


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    batches=st.lists(st.lists(TURN, min_size=1, max_size=5), min_size=1, max_size=6),
    budget=st.sampled_from([1, 2048, 99999]),
)
def test_any_history_of_turns_forks_truncations_and_evictions_gives_plain_logprobs(llama, batches, budget):
    tested = policy(llama, max_cached_tokens=budget, max_batch=3)
    contexts = dict.fromkeys("abcd", (1, 2, 3))
    for number, batch in enumerate(batches):
        prompts = []
        for key, kind, tokens, new in batch:
            before = contexts[key][:80]
            context = {
                "extend": before + tuple(tokens),
                "fork": contexts["a"][:80] + tuple(tokens[:2]),
                "truncate": before[: 1 + len(before) // 2],
                "restart": tuple(tokens),
            }.get(kind, before)
            if kind == "forget":
                tested.forget(key)
            if kind == "score":
                for rest, logprobs in zip(
                    [tokens, tokens[:1]], tested.score([context, context], [tokens, tokens[:1]]), strict=True
                ):
                    assert gap(llama, context, rest, logprobs) < 1e-4
            owner = "" if kind == "repeat" else key
            prompts.append(Prompt(context, key=owner, max_new_tokens=new, seed=number))
        for (key, *_), prompt, answer in zip(batch, prompts, tested.generate(prompts), strict=True):
            assert isinstance(answer, Completion)
            assert len(answer.ids) == prompt.max_new_tokens
            assert gap(llama, prompt.ids, answer.ids, answer.logprobs) < 1e-4
            contexts[key] = prompt.ids + answer.ids


@pytest.mark.parametrize(
    "config",
    [
        LlamaConfig(**SMALL | {"num_key_value_heads": 4}),
        MistralConfig(**SMALL, sliding_window=None),
        Qwen2Config(**SMALL),
        Qwen3Config(**SMALL, head_dim=16),
        GPT2Config(
            vocab_size=VOCABULARY, n_embd=32, n_layer=2, n_head=4, n_positions=128, bos_token_id=None, eos_token_id=None
        ),
    ],
    ids=lambda config: config.model_type,
)
def test_ordinary_decoders_are_served_unmodified(config):
    model = tiny(config)
    tested = policy(model)
    contexts = [tuple(range(2, 2 + length)) for length in (3, 17, 9)]
    for turn in range(3):
        prompts = [Prompt(ids, key=str(row), max_new_tokens=4, seed=turn) for row, ids in enumerate(contexts)]
        answers = tested.generate(prompts)
        for prompt, answer in zip(prompts, answers, strict=True):
            assert gap(model, prompt.ids, answer.ids, answer.logprobs) < 1e-4
        contexts = [prompt.ids + answer.ids + (5, 6) for prompt, answer in zip(prompts, answers, strict=True)]
    assert tested.tokens_computed < 29 + 3 * 3 * 6 + 3


@pytest.mark.parametrize("attention", ["eager", "sdpa"])
def test_both_attention_implementations_agree(attention):
    model = tiny()
    model.set_attn_implementation(attention)
    [answer] = policy(model).generate([Prompt((4, 5, 6, 7), max_new_tokens=6)])
    assert gap(model, (4, 5, 6, 7), answer.ids, answer.logprobs) < 1e-4


def test_a_turn_costs_its_new_tokens(llama):
    tested = policy(llama)
    context, costs = tuple(range(10)), []
    for turn in range(8):
        before = tested.tokens_computed
        [answer] = tested.generate([Prompt(context, key="episode", max_new_tokens=4, seed=turn)])
        costs.append(tested.tokens_computed - before)
        context += (*answer.ids, 1, 2, 3, 4, 5)
    # 5 new tokens, the last sampled one of the turn before, and 3 of the 4 sampled in this turn
    assert costs == [10 + 3] + [5 + 1 + 3] * 7


def test_a_fork_costs_what_differs(llama):
    tested = policy(llama)
    parent = tuple(range(30))
    tested.generate([Prompt(parent, key="parent", max_new_tokens=1)])
    before = tested.tokens_computed
    children = [Prompt((*parent, token), key=f"child {token}", max_new_tokens=1) for token in (7, 8, 9)]
    tested.generate(children)
    assert tested.tokens_computed - before == 3


def test_equal_prompts_in_one_batch_are_computed_once(llama):
    tested = policy(llama)
    answers = tested.generate([Prompt(tuple(range(30)), key="node", max_new_tokens=1, seed=draw) for draw in range(5)])
    assert tested.tokens_computed == 30
    assert len({answer.ids for answer in answers}) > 1


def test_the_cache_is_dropped_when_the_weights_change():
    model = tiny()
    tested = policy(model)
    prompt = Prompt(tuple(range(20)), key="episode", max_new_tokens=3)
    tested.generate([prompt])
    with torch.no_grad():
        model.model.layers[0].self_attn.k_proj.weight.mul_(-1)
    tested.updated()
    [answer] = tested.generate([prompt])
    assert tested.version == 1
    assert gap(model, prompt.ids, answer.ids, answer.logprobs) < 1e-4


def test_forgetting_everything_gives_the_same_bits_again(llama):
    rng = random.Random(0)
    prompts = [
        Prompt(tuple(rng.randrange(VOCABULARY) for _ in range(rng.randrange(1, 30))), key=str(row), max_new_tokens=5)
        for row in range(7)
    ]
    tested = policy(llama, max_batch=4)
    first = tested.generate(prompts)
    tested.generate(prompts[:3])
    tested.forget(None)
    assert tested.generate(prompts) == first


def test_scoring_leaves_the_cache_as_it_was(llama):
    tested = policy(llama)
    context = tuple(range(25))
    tested.generate([Prompt(context, key="episode", max_new_tokens=1)])
    before = tested.tokens_computed
    alternatives = [(7, 8), (7, 9), (10,), ()]
    scores = tested.score([context] * 4, alternatives)
    # the last token of the prompt, and 7: nothing is predicted after 8, 9 and 10
    assert tested.tokens_computed - before == 2
    assert scores[3] == ()
    assert all(gap(llama, context, rest, got) < 1e-4 for rest, got in zip(alternatives, scores, strict=True))
    before = tested.tokens_computed
    tested.generate([Prompt((*context, 3), key="episode", max_new_tokens=1)])
    assert tested.tokens_computed - before == 1


def test_scoring_the_alternatives_of_every_step_computes_an_episode_once(llama):
    episode = tuple(random.Random(1).randrange(VOCABULARY) for _ in range(60))
    prompts = [episode[:length] for length in range(10, 60, 10) for _ in range(3)]
    rests = [(token, 1) for _ in range(10, 60, 10) for token in (1, 2, 3)]
    tested = policy(llama)
    scores = tested.score(prompts, rests)
    assert tested.tokens_computed == 50 + 5 * 3
    assert all(gap(llama, p, rest, got) < 1e-4 for p, rest, got in zip(prompts, rests, scores, strict=True))


def test_a_model_with_sliding_windows_is_recomputed_and_says_so_once():
    model = tiny(MistralConfig(**SMALL, sliding_window=8))
    tested, prompt = policy(model), Prompt(tuple(range(20)), max_new_tokens=3, seed=1)
    with pytest.warns(UserWarning, match="DynamicSlidingWindowLayer"):
        [answer] = tested.generate([prompt])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        [scores] = tested.score([prompt.ids], [answer.ids])
    assert gap(model, prompt.ids, answer.ids, answer.logprobs) < 1e-4
    assert gap(model, prompt.ids, answer.ids, scores) < 1e-4


def test_a_model_that_takes_no_positions_is_recomputed():
    class Counting(LlamaForCausalLM):
        """Counts positions itself: from 0, whatever went before."""

        def forward(self, *args, position_ids=None, cache=None, **more):
            return super().forward(*args, cache=cache, **more)

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        model = Counting(LlamaConfig(**SMALL)).eval()
    for weights in model.parameters():
        weights.data.mul_(6 if weights.dim() > 1 else 1)
    with pytest.warns(UserWarning, match="a trial gave log-probabilities"):
        policy(model).generate([Prompt((4, 5, 6))])
