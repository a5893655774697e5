"""TextArena as a peer of benchmarks/speed/games.py: under its own Python, one JSON object a line in and out.

A step is ``step`` and the ``get_observation`` that shows what it led to. Moves are drawn among those that are possible,
as far as the observation tells; the drawing is not timed.
"""

import json
import random
import re
import sys
import time

import textarena

GAMES = {
    "TicTacToe": ("TicTacToe-v0-raw", 2),
    "KuhnPoker": ("KuhnPoker-v0-raw", 2),
    "Sokoban": ("Sokoban-v0-raw", 1),
    "Countdown": ("Countdown-v0-raw", 1),
}


def choose(game, shown, rng):
    if game == "Sokoban":
        return rng.choice(("[up]", "[down]", "[left]", "[right]"))
    if game == "Countdown":
        one, two = rng.sample(range(len(re.findall(r"^  \[\d+\]", shown, re.MULTILINE))), 2)
        return f"[{one} {two} {rng.choice('+*')}]"
    return rng.choice(re.findall(r"'(\[\w+\])'", shown))


def measure(game, steps, seed):
    name, players = GAMES[game]
    env, rng = textarena.make(env_id=name), random.Random(seed)
    resetting = stepping = 0.0
    resets = done = 0
    ended = True
    while done < steps:
        if ended:
            before = time.perf_counter()
            env.reset(num_players=players, seed=1_000_000 * seed + resets)
            _, seen = env.get_observation()
            resetting += time.perf_counter() - before
            resets, ended = resets + 1, False
        shown = next((text for _, text, *_ in reversed(seen) if isinstance(text, str) and "[" in text), "")
        numbers = len(re.findall(r"^  \[\d+\]", shown, re.MULTILINE))
        if game == "Countdown" and numbers < 2:
            ended = True
            continue
        action = choose(game, shown, rng)
        before = time.perf_counter()
        ended, _ = env.step(action)
        if not ended:
            _, seen = env.get_observation()
        stepping += time.perf_counter() - before
        done += 1
    return {"steps_a_second": done / stepping, "resets_a_second": resets / resetting}


for line in sys.stdin:
    call = json.loads(line)
    print(json.dumps(measure(call["game"], call["steps"], call["seed"])), flush=True)
