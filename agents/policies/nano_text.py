"""Household sentences that the nano tokenizer learns its words from.

Plain text only: no model, no environment. The words are those of the ALFWorld 0.4 dialect (rooms, things, commands,
feedback), so one tokenizer serves every size of household; anything else still encodes, byte by byte.
"""

from __future__ import annotations

from collections.abc import Iterator

PHRASES = (
    "-= Welcome to TextWorld, ALFRED! =-\n\n",
    "You are in the middle of a room. Looking quickly around you, you see",
    "\n\nYour task is to:",
    "Nothing happens.",
    "You arrive at",
    "You pick up the",
    "You move the",
    "You turn on the",
    "You open the",
    "You close the",
    "You heat the",
    "You cool the",
    "You clean the",
    "You sliced the",
    "You are facing the",
    "You are carrying:",
    "You are not carrying anything.",
    "There's nothing special about",
    "Next to it, you see",
    "you see nothing.",
    ", you see",
    " is closed.",
    " is open. In it",
    " from the",
    " to the",
    " using the",
    " with the",
    " On the",
    ", and a",
    ", and",
    ", a",
    "go to",
    "move",
    "take",
)
"""Word sequences of the templates that always come together: one token each."""

MARKS = (
    "] push button:", "] toggle button:", "] radio button:", "] check box:", "] combo box:", "] list item:",
    "] menu item:", "] menu:", "] table cell:", "] slider:", "] entry:", "] text:", "double_click([", "click([",
)  # fmt: skip
"""The same for the marks of a desktop: half of a screen's words are such."""

RECEPTACLES = """
    armchair bathtubbasin bed cabinet cart coffeemachine coffeetable countertop desk diningtable drawer dresser
    fridge garbagecan handtowelholder laundryhamper microwave ottoman paintinghanger safe shelf sidetable sinkbasin
    sofa stoveburner toaster toilet toiletpaperhanger towelholder tvstand
"""

THINGS = """
    alarmclock apple baseballbat basketball bathtub blinds book boots bowl box bread butterknife candle cd cellphone
    chair cloth creditcard cup curtains desklamp dishsponge egg faucet floorlamp footstool fork glassbottle
    handtowel houseplant kettle keychain knife ladle lamp laptop lettuce lightswitch mirror mug newspaper painting
    pan papertowel papertowelroll peppershaker pen pencil pillow plate plunger poster pot potato remotecontrol
    saltshaker scrubbrush showerdoor showerglass showerhead sink soapbar soapbottle spatula spoon spraybottle statue
    stoveknob teddybear television tennisracket tissuebox toiletpaper tomato towel vase watch wateringcan window
    winebottle
"""

_SENTENCES = (
    # a command may open a text or follow a blank, so its word is needed with and without one
    "look\ninventory\nhelp\nexamine\nheat\ncool\nclean\nslice\nuse\nopen\nclose\nput\ngo\nto\ncheck\nplace\nfind",
    "receptacle\nobject\nsomething\nThe\nThat\nThis\nYou\nThere\nLook\nit using",
    " look inventory help examine heat cool clean slice use open close put go take move check place find",
    " a an the some two it them in on under at or and of your with from to nothing nowhere something around",
    " hot cold sliced normal special current location object receptacle sharp",
    "This is a hot and clean mug 1. This lamp is on. The mug. Look. In it. object receptacle something",
    "Available commands:\n  look:                             look around your current location\n",
    "Thought: I was wrong. That step did not help. I will go back to the task. I made a mistake just now. Let me "
    "correct it. This is not the way. I will try something else. That was the wrong action. I should fix it. I am off "
    "the track. I will return to the goal. I need to find a mug. Next I should look here, then try again. Now I have "
    "the mug. think: > OK.",
    "Action: look. You can: look; examine. You act in a text world. Each message tells what you see; answer with one "
    "command. You may think first: write 'Thought: ...' and then, on a new line, 'Action: ' and the command.",
)

LARGEST_NUMBER = 60
"""Numbers up to here are one token; the game files of ALFWorld stay below."""


def household_sentences() -> Iterator[str]:
    """Every word the household can print or understand, in sentences of its own dialect."""
    yield from PHRASES
    yield from _SENTENCES
    for receptacle in RECEPTACLES.split():
        yield f"go to {receptacle} 1"
        yield f"You arrive at {receptacle} 1. The {receptacle} 1 is closed."
    for thing in THINGS.split():
        yield f"take {thing} 1 from countertop 1"
        yield f"On the countertop 1, you see a {thing} 1, and a {thing} 2."
    for number in range(LARGEST_NUMBER + 1):
        yield f" {number}"
