"""The language-model agent: an observation in, a thought and an action out (ReAct, arXiv 2210.03629).

Its whole state is the token context, a tuple, so that `copy.copy` is an exact fork: tree search uses that.
"""

from __future__ import annotations

import re
from typing import Any

from selfgym.agents.agent import Asking, Decision
from selfgym.agents.chat import Chat, Message
from selfgym.agents.policies.policy import Completion, Policy, Prompt
from selfgym.memory.episode import Episode, Source

INSTRUCTION = (
    "You act in a text world. Each message tells what you see; answer with one command. "
    "You may think first: write 'Thought: ...' and then, on a new line, 'Action: ' and the command."
)
_BANNER = re.compile(r"^-= .*? =-\n+")
_ACTION = re.compile(r"(?:^|\n)\s*action\s*:\s*", re.IGNORECASE)
_THOUGHT = re.compile(r"^\s*thought\s*:\s*", re.IGNORECASE)


class ReactAgent:
    """Asks ``policy`` for the next action, in a chat that only grows.

    Args:
        policy: the language model; its tokenizer's chat template frames the turns.
        seed: of this agent's random stream.
        instruction: the system turn; empty for models that were trained without one.
        show_admissible: append the admissible commands to each observation.
        restrict: sample only among the admissible commands (no thoughts then).
        temperature, top_p, max_new_tokens: of the sampling.
        code: actions are programs of several lines, taken as they are: there are no thoughts then.
        max_context: the context is rebuilt from the task and the latest turns before it would exceed this many tokens.
    """

    def __init__(
        self,
        policy: Policy,
        *,
        seed: int = 0,
        instruction: str = INSTRUCTION,
        show_admissible: bool = False,
        restrict: bool = False,
        code: bool = False,
        temperature: float = 1.0,
        top_p: float = 1.0,
        max_new_tokens: int = 32,
        max_context: int = 2048,
        key: str = "",
    ) -> None:
        self.policy, self.chat = policy, Chat(policy.tokenizer)
        self.seed, self.key = seed, key or f"react-{id(self):x}"  # the cache must not take two agents for one
        self.instruction, self.show_admissible, self.restrict = instruction, show_admissible, restrict
        self.code = code
        self.sampling: dict[str, Any] = {"temperature": temperature, "top_p": top_p, "max_new_tokens": max_new_tokens}
        self.max_context = max_context
        self.context: tuple[int, ...] = ()
        self.turns: tuple[tuple[str, str], ...] = ()
        self.answered: tuple[int, ...] = ()

    @property
    def policy_version(self) -> int:
        """The version of the weights that answer now."""
        return self.policy.version

    def act(self, observation: Any, info: dict[str, Any]) -> Asking:
        """Ask for one completion and read the action off it."""
        prompt = self.ask(observation, info)
        [completion] = yield [prompt]
        return self.decide(observation, prompt, completion)

    def end(self, episode: Episode | None = None) -> None:
        """Let the policy drop what it keeps for this agent's context."""
        self.policy.forget(self.key)

    def ask(self, observation: Any, info: dict[str, Any], *, draw: int = 0) -> Prompt:
        """The prompt for the next decision; ``draw`` numbers independent samples of it."""
        added, fresh = self._extend(self._show(observation, info))
        context = added if fresh else self.context + added
        choices: tuple[tuple[int, ...], ...] = ()
        if self.restrict and info.get("admissible_commands"):
            choices = tuple(self.chat.answer(command) for command in info["admissible_commands"])
        seed = (self.seed * 1_000_003 + len(self.turns) * 8191 + draw) & 0x7FFFFFFFFFFFFFFF
        return Prompt(context, key=self.key, seed=seed, choices=choices, **self.sampling)

    def decide(self, observation: Any, prompt: Prompt, completion: Completion) -> Decision:
        """Take ``completion`` as the answer to ``prompt``: moves this agent one turn on."""
        thought, action = ("", completion.text.strip()) if self.code else parse_answer(completion.text)
        return self._commit(
            str(observation), prompt.ids, completion.ids, completion.text,
            Decision(action, thought, response_ids=completion.ids, logprobs=completion.logprobs),
        )  # fmt: skip

    def write(
        self, observation: Any, info: dict[str, Any], action: str, thought: str = "", *,
        response_ids: tuple[int, ...] = (), source: Source = Source.INJECTED, trainable: bool = False,
    ) -> Decision:  # fmt: skip
        """Move on as if this agent had answered ``action``, in ``response_ids`` or in tokens written anew."""
        text = f"Thought: {thought}\nAction: {action}" if thought else action
        prompt, response = self.ask(observation, info), response_ids or self.chat.answer(text)
        decision = Decision(action, thought, response_ids=response, source=source, trainable=trainable)
        return self._commit(str(observation), prompt.ids, response, text, decision)

    def _commit(
        self, observation: str, context: tuple[int, ...], response: tuple[int, ...], text: str, decision: Decision
    ) -> Decision:
        known = len(self.context)
        fresh = not self.context or context[:known] != self.context
        added = context if fresh else context[known:]
        self.context, self.answered = context + response, response
        self.turns = (*self.turns, (observation, text))
        return Decision(
            decision.action, decision.thought, added, response, decision.logprobs, fresh,
            decision.source, decision.trainable, decision.info,
        )  # fmt: skip

    def _extend(self, message: str) -> tuple[tuple[int, ...], bool]:
        """The tokens to add for ``message``, and whether they replace the context."""
        if self.context:
            added = self.chat.follow(message, self.answered)
            if len(self.context) + len(added) + self.sampling["max_new_tokens"] <= self.max_context:
                return added, False
        return self._rebuild(message), True

    def _rebuild(self, message: str) -> tuple[int, ...]:
        kept = len(self.turns)
        room = self.max_context - int(self.sampling["max_new_tokens"])
        while True:
            tokens = self.chat.open(self._messages(kept, message))
            if len(tokens) <= room or kept == 0:
                return tokens
            kept //= 2

    def _messages(self, kept: int, message: str) -> list[Message]:
        messages: list[Message] = []
        if self.instruction:
            messages.append({"role": "system", "content": self.instruction})
        turns = list(self.turns[len(self.turns) - kept :])
        if self.turns and kept < len(self.turns):
            opening = self._show(self.turns[0][0], {})
            if turns:
                turns[0] = (f"{opening}\n...\n{turns[0][0]}", turns[0][1])
            else:
                message = f"{opening}\n...\n{message}"
        for seen, answered in turns:
            messages += [{"role": "user", "content": self._show(seen, {})}, {"role": "assistant", "content": answered}]
        return [*messages, {"role": "user", "content": message}]

    def _show(self, observation: Any, info: dict[str, Any]) -> str:
        text = _BANNER.sub("", str(observation))
        if self.show_admissible and info.get("admissible_commands"):
            text += "\nYou can: " + "; ".join(info["admissible_commands"])
        return text


def parse_answer(text: str) -> tuple[str, str]:
    """Split an answer into (thought, action); an answer without the marker ``Action:`` is an action.

    >>> parse_answer("Thought: it may be cold.\\nAction: open fridge 1\\n")
    ('it may be cold.', 'open fridge 1')
    >>> parse_answer("go to desk 1")
    ('', 'go to desk 1')
    """
    parts = _ACTION.split(text)
    if len(parts) > 1:
        return _THOUGHT.sub("", "".join(parts[:-1])).strip(), _first_line(parts[-1])
    if _THOUGHT.match(text):
        return _THOUGHT.sub("", text).strip(), ""
    return "", _first_line(text)


def _first_line(text: str) -> str:
    return text.strip().split("\n")[0].rstrip()
