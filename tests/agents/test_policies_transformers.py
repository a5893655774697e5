"""What a caller of `TransformersPolicy` sees: sampling, stops, restriction, errors."""

from __future__ import annotations

import math
from collections import Counter

import pytest

torch = pytest.importorskip("torch")

from selfgym.agents.policies.nano import make_nano  # noqa: E402
from selfgym.agents.policies.policy import Policy, PolicyError, Prompt  # noqa: E402
from selfgym.agents.policies.transformers import TransformersPolicy  # noqa: E402


@pytest.fixture(scope="module")
def nano():
    model, tokenizer = make_nano(hidden_size=64, layers=2)
    with torch.no_grad():
        model.model.embed_tokens.weight.mul_(4)  # far from uniform
    return TransformersPolicy(model, tokenizer, name="nano")


@pytest.fixture
def ask(nano):
    ids = tuple(nano.tokenizer.encode("<|im_start|>You are facing the fridge 1.<|im_end|>"))

    def make(**options):
        return Prompt(ids, **options)

    return make


def logits_after(policy, ids):
    with torch.inference_mode():
        return policy.model(input_ids=torch.tensor([list(ids)])).logits[0, -1].double()


def test_it_is_a_policy(nano):
    assert isinstance(nano, Policy)


def test_a_seed_gives_the_same_tokens_alone_in_a_batch_and_in_any_order(nano, ask):
    prompts = [ask(seed=seed, max_new_tokens=8) for seed in range(20)]
    together = [answer.ids for answer in nano.generate(prompts)]
    backwards = [answer.ids for answer in nano.generate(prompts[::-1])][::-1]
    alone = [nano.generate([prompt])[0].ids for prompt in prompts]
    assert together == backwards == alone
    assert len(set(together)) > 10


def test_sampling_leaves_the_global_random_state_alone(nano, ask):
    before = torch.random.get_rng_state()
    nano.generate([ask(seed=3)])
    make_nano(hidden_size=32, layers=1)
    assert torch.equal(before, torch.random.get_rng_state())


def test_samples_follow_the_distribution_they_report(nano, ask):
    draws = 3000
    answers = nano.generate([ask(seed=seed, max_new_tokens=1, temperature=0.7) for seed in range(draws)])
    counts = Counter(answer.ids[0] for answer in answers)
    reported = {answer.ids[0]: math.exp(answer.logprobs[0]) for answer in answers}
    exact = (logits_after(nano, ask().ids) / 0.7).softmax(-1)
    for token, count in counts.most_common(5):
        assert reported[token] == pytest.approx(float(exact[token]), abs=1e-5)
        assert count / draws == pytest.approx(reported[token], abs=4 * math.sqrt(reported[token] / draws))


def test_top_p_draws_from_the_nucleus_renormalised(nano, ask):
    ordered = logits_after(nano, ask().ids).softmax(-1).sort(descending=True)
    size = int((ordered.values.cumsum(-1) < 0.5).sum()) + 1
    nucleus = set(ordered.indices[:size].tolist())
    answers = nano.generate([ask(seed=seed, max_new_tokens=1, top_p=0.5) for seed in range(300)])
    assert {answer.ids[0] for answer in answers} <= nucleus
    mass = float(ordered.values[:size].sum())
    for answer in answers[:20]:
        place = ordered.indices.tolist().index(answer.ids[0])
        assert answer.logprobs[0] == pytest.approx(math.log(float(ordered.values[place]) / mass), abs=1e-5)


def test_greedy_takes_the_likeliest_token_and_reports_temperature_one(nano, ask):
    [answer] = nano.generate([ask(temperature=0, max_new_tokens=5, seed=9)])
    ids = ask().ids
    for token, logprob in zip(answer.ids, answer.logprobs, strict=True):
        logits = logits_after(nano, ids)
        assert token == int(logits.argmax())
        assert logprob == pytest.approx(float(logits.log_softmax(-1)[token]), abs=1e-5)
        ids += (token,)


def test_a_stop_string_ends_after_the_token_that_completes_it(nano, ask):
    free = nano.generate([ask(seed=4, max_new_tokens=12)])[0]
    words = [nano.tokenizer.decode([token]) for token in free.ids]
    stop = words[3][-1:] + words[4][:1]  # spans two tokens
    [answer] = nano.generate([ask(seed=4, max_new_tokens=12, stop=("never said", stop))])
    first = next(n for n in range(1, 13) if stop in "".join(words[:n]))
    assert answer.ids == free.ids[:first]
    assert answer.logprobs == pytest.approx(free.logprobs[:first], abs=1e-5)
    assert answer.text == "".join(words[:first]).partition(stop)[0]
    assert answer.finish == "stop"


def test_the_end_of_turn_ends_an_answer_and_is_kept_but_not_shown(nano, ask):
    answers = nano.generate([ask(seed=seed, max_new_tokens=40, temperature=3) for seed in range(100)])
    ended = [answer for answer in answers if answer.ids[-1] == nano.tokenizer.eos_token_id]
    assert ended
    for answer in answers:
        assert len(answer.ids) == len(answer.logprobs)
        assert (answer.finish == "stop") == (answer in ended)
        assert answer.finish == "stop" or len(answer.ids) == 40
        assert "<|im_end|>" not in answer.text
        assert nano.tokenizer.eos_token_id not in answer.ids[:-1]


def commands(policy, *texts):
    return tuple((*policy.tokenizer.encode(text), policy.tokenizer.eos_token_id) for text in texts)


def test_choices_are_drawn_as_their_logprobs_say_and_these_sum_to_one(nano, ask):
    choices = commands(nano, "go to fridge 1", "go to fridge 2", "go to drawer 1", "look", "take mug 1 from fridge 1")
    answers = nano.generate([ask(seed=seed, choices=choices, max_new_tokens=1) for seed in range(2000)])
    assert {answer.ids for answer in answers} == set(choices)
    share = {answer.ids: math.exp(sum(answer.logprobs)) for answer in answers}
    assert sum(share.values()) == pytest.approx(1, abs=1e-5)
    for ids, count in Counter(answer.ids for answer in answers).items():
        assert count / 2000 == pytest.approx(share[ids], abs=4 * math.sqrt(share[ids] / 2000))
    # the first token is the model's own choice among those that may come
    firsts = sorted({choice[0] for choice in choices})
    line = logits_after(nano, ask().ids)[firsts].log_softmax(-1)
    look = next(answer for answer in answers if answer.text == "look")
    assert look.logprobs[0] == pytest.approx(float(line[firsts.index(look.ids[0])]), abs=1e-5)
    assert all(len(answer.ids) == len(answer.logprobs) for answer in answers)


def test_a_choice_may_begin_another(nano, ask):
    one, two = (tuple(nano.tokenizer.encode(text)) for text in ("go to fridge", "go to fridge 1"))
    answers = nano.generate([ask(seed=seed, choices=(one, two)) for seed in range(300)])
    share = {answer.ids: math.exp(sum(answer.logprobs)) for answer in answers}
    assert set(share) == {one, two}
    assert sum(share.values()) == pytest.approx(1, abs=1e-6)


def test_one_choice_is_certain(nano, ask):
    [choice] = commands(nano, "look")
    [answer] = nano.generate([ask(choices=(choice,))])
    assert (answer.ids, answer.logprobs, answer.text) == (choice, (0.0, 0.0), "look")


def test_greedy_choices_follow_the_likeliest_branch(nano, ask):
    choices = commands(nano, "go to fridge 1", "go to drawer 1", "look")
    greedy = {answer.ids for answer in nano.generate([ask(seed=s, choices=choices, temperature=0) for s in range(9)])}
    assert len(greedy) == 1


def test_what_cannot_be_answered_gives_an_error_in_its_place(nano, ask):
    long = Prompt((5,) * 2040, max_new_tokens=32)
    answers = nano.generate(
        [
            ask(seed=1),
            Prompt(()),
            long,
            Prompt((5, 99999)),
            Prompt((-1,)),
            ask(temperature=-1.0),
            ask(max_new_tokens=0),
            ask(choices=((7,), ())),
            ask(choices=((7,), (7, nano.tokenizer.eos_token_id))),
            ask(seed=1),
        ]
    )
    assert not isinstance(answers[0], PolicyError)
    assert (answers[0].ids, answers[0].text, answers[0].finish) == (
        answers[-1].ids,
        answers[-1].text,
        answers[-1].finish,
    )
    assert answers[0].logprobs == pytest.approx(answers[-1].logprobs, abs=1e-4)  # not every processor's sums are equal
    sentences = [str(answer) for answer in answers[1:-1]]
    assert all(isinstance(answer, PolicyError) for answer in answers[1:-1])
    for sentence, part in zip(
        sentences,
        ["empty", "2048", "99999", "-1", "temperature", "max_new_tokens", "no tokens", "beginning of another"],
        strict=True,
    ):
        assert part in sentence


def test_an_answer_that_just_fits_is_given(nano):
    [answer] = nano.generate([Prompt((5,) * 2040, max_new_tokens=8)])
    assert not isinstance(answer, PolicyError)


def test_scoring_refuses_with_the_number_of_the_question(nano):
    with pytest.raises(PolicyError, match="question 1 of 2"):
        nano.score([(5,), ()], [(6,), (7,)])


def test_weights_that_are_not_finite_give_an_error_and_not_a_token(ask):
    model, tokenizer = make_nano(hidden_size=32, layers=1)
    with torch.no_grad():
        model.model.norm.weight.fill_(math.nan)
    [answer] = TransformersPolicy(model, tokenizer, name="broken").generate([ask()])
    assert isinstance(answer, PolicyError)
    assert "finite" in str(answer)


@pytest.mark.filterwarnings("ignore::FutureWarning")  # peft calls what this transformers calls by another name
def test_an_adapter_changes_the_answers_and_is_served_with_the_cache(tmp_path, nano, ask):
    peft = pytest.importorskip("peft")
    from selfgym.agents.policies.nano import nano_folder

    folder = nano_folder(tmp_path / "base", hidden_size=64, layers=2)
    base = TransformersPolicy.load(folder)
    adapted = peft.get_peft_model(
        TransformersPolicy.load(folder).model,
        peft.LoraConfig(r=4, target_modules=["q_proj", "v_proj"], init_lora_weights=False),
    )
    adapted.save_pretrained(tmp_path / "adapter")
    loaded = TransformersPolicy.load(folder, adapter=tmp_path / "adapter")
    [score], [plain] = (policy.score([ask().ids], [(7, 8)]) for policy in (loaded, base))
    assert score != pytest.approx(plain, abs=1e-6)
    first = loaded.generate([ask(key="episode", max_new_tokens=2, seed=1)])[0]
    before = loaded.tokens_computed
    loaded.generate([Prompt((*ask().ids, *first.ids, 7), key="episode", max_new_tokens=1)])
    assert loaded.tokens_computed - before == 2


def test_choices_that_begin_alike_are_drawn_after_what_they_share(nano):
    prompt, shared, ends = (5, 6, 7), (8, 9), (10, 11, 12)
    choices = tuple((*shared, end) for end in ends)
    scores = nano.score([(*prompt, *shared)] * 3, [(end,) for end in ends])
    expected = torch.tensor([one[0] for one in scores]).log_softmax(0)
    drawn = nano.generate([Prompt(prompt, choices=choices, seed=seed) for seed in range(20)])
    assert len({one.ids for one in drawn}) > 1
    for one in drawn:
        assert one.logprobs[:2] == (0.0, 0.0)
        assert one.logprobs[2] == pytest.approx(float(expected[ends.index(one.ids[2])]), abs=1e-5)
