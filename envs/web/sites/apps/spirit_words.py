"""What is said on the forum of a community workshop: people, categories, topics and replies."""

from __future__ import annotations

PEOPLE = {
    "marion": ("Marion", "Hale", "Leeds"),
    "alba": ("Alba", "Ferrer", "Valencia"),
    "boris": ("Boris", "Novak", "Brno"),
    "cem": ("Cem", "Aydin", "Izmir"),
    "dora": ("Dora", "Winter", "Graz"),
    "emil": ("Emil", "Sandberg", "Malmo"),
    "fatima": ("Fatima", "Haddad", "Lyon"),
    "george": ("George", "Osei", "Accra"),
    "hanne": ("Hanne", "Vos", "Ghent"),
    "ivo": ("Ivo", "Marin", "Split"),
    "julia": ("Julia", "Brandt", "Bremen"),
    "kofi": ("Kofi", "Mensah", "Leeds"),
    "lotte": ("Lotte", "Keller", "Bern"),
}
ME = "marion"
"""Who sits at the browser: a moderator."""
CHIEF = "alba"
"""The administrator."""

CATEGORIES = {
    "Announcements": "News of the workshop",
    "Woodworking": "Saws, planes and glue",
    "Electronics": "Soldering, microcontrollers, repairs",
    "3D Printing": "Printers, filament, models",
    "Bicycles": "Repairs, parts and rides",
    "Textiles": "Sewing, weaving, dyeing",
    "Marketplace": "Give away, swap, sell",
    "Meetups": "Evenings, courses, excursions",
}

TOPICS = {
    "Announcements": (
        ("New opening hours from March", "We will open at nine on weekdays and at ten on Saturdays."),
        ("The laser cutter is back", "It has a new tube and cuts plywood of six millimetres again."),
        ("Please label your shelves", "Boxes without a name will go to the swap table at the end of the month."),
        ("Fire drill on Thursday", "Leave everything where it is when the bell rings and meet at the gate."),
        ("Membership fees stay the same", "The board has decided not to raise the fees this year."),
        ("Thank you for the open day", "More than two hundred visitors came, and the soup was gone by three."),
        ("Key cards will be exchanged", "Old cards stop working in April, the new ones are in the office."),
    ),
    "Woodworking": (
        ("Which glue for an outdoor bench?", "My last bench came apart after one winter. What do you use?"),
        ("Dovetails by hand or with a jig", "I would like to make a toolbox and cannot decide."),
        ("Band saw drifts to the left", "It pulls away from the fence whatever I do."),
        ("Sharpening plane irons", "What is your routine, stones or paper on glass?"),
        ("Oil or wax for a cutting board", "It is maple and should be safe for food."),
        ("Building a crib in two months", "The date is fixed, as you can imagine. Is that realistic?"),
        ("Warped oak boards", "They lay flat in the rack and are bent now. Can they be saved?"),
        ("First turning project", "I thought of a honey dipper. Is there anything easier?"),
    ),
    "Electronics": (
        ("Soldering station for beginners", "I do not want to spend more than eighty. What should I look for?"),
        ("Radio hums at fifty hertz", "An old valve radio from my aunt. The hum is there at any volume."),
        ("Sensor for a greenhouse", "It should measure humidity and run for months on batteries."),
        ("Broken power supply, worth repairing?", "The fuse is fine but nothing comes out."),
        ("Reading a thermostat over serial", "The manual is silent about the protocol."),
        ("Christmas star with leds", "Sixty lights and a tiny controller. The pattern still flickers."),
        ("Where to recycle batteries", "The box at the entrance is full again."),
        ("Oscilloscope course, who is interested?", "I could show the basics on two evenings."),
    ),
    "3D Printing": (
        ("First layer does not stick", "I cleaned the bed twice and levelled it. Still no luck."),
        ("Filament gets brittle", "A roll from last summer snaps when I feed it."),
        ("Gear for a food mixer", "The original broke, and there are no spares any more."),
        ("Which slicer do you use?", "I am new to all of this and a little lost."),
        ("Printing lids for jars", "The thread is never tight. How much play do you leave?"),
        ("Stringing on the old printer", "The new one is fine with the same settings."),
        ("Models for the school fair", "We need forty small animals by the end of April."),
        ("Noise at night", "May a long print run after closing time?"),
    ),
    "Bicycles": (
        ("Creaking bottom bracket", "It starts after ten minutes and only when I stand up."),
        ("Winter tyres, yes or no", "The path along the river is icy in the morning."),
        ("Truing a wheel without a stand", "I have a spoke key and patience."),
        ("Cargo bike for rent?", "Does the workshop still lend one at weekends?"),
        ("Chain lasts only a year", "I ride every day and oil it each month."),
        ("Painting an old frame", "Is it enough to sand it, or does it have to be stripped?"),
        ("Sunday ride to the lighthouse", "About sixty kilometres, with a stop for cake."),
        ("Dynamo light flickers", "Both cables are new. Where would you look next?"),
    ),
    "Textiles": (
        ("Walking foot for the big machine", "Has anybody seen it since the curtain course?"),
        ("Dyeing with walnut shells", "I have a whole bag of them and white wool."),
        ("Zips that do not jam", "Which brand do you trust for a tent?"),
        ("Loom for the gallery", "We were offered one. It needs two metres of space."),
        ("Mending circle in the evening", "Bring what is torn. We have needles and tea."),
        ("Pattern for a work apron", "With many pockets, please, and crossed straps."),
        ("Moths in the wool cupboard", "I found three. What helps against them?"),
        ("Felt slippers for the floor", "The workshop floor is cold. Who makes a pair with me?"),
    ),
    "Marketplace": (
        ("Giving away twelve jam jars", "With lids, washed, in a box under the stairs."),
        ("Looking for a bench vice", "A small one is enough, it may be rusty."),
        ("Swap: router table for a drill press", "The table is hardly used."),
        ("Free pallets behind the shed", "First come, first served. Take them before Friday."),
        ("Selling a sewing machine", "It runs well and comes with six feet. Ninety, all included."),
        ("Wanted: old bicycle tubes", "For a project with children. Holes do not matter."),
        ("Leftover tiles, white", "About two square metres, from our kitchen."),
        ("Found: a pair of glasses", "They lay beside the lathe. Brown frame."),
    ),
    "Meetups": (
        ("Which evening suits you best?", "We would like to move the weekly meeting."),
        ("Excursion to the paper mill", "They would show us around on a Saturday."),
        ("Repair cafe needs helpers", "We have many visitors and only four people at the tables."),
        ("Board games after the meeting", "The kitchen is free until eleven."),
        ("Course: welding for beginners", "There are six places. Gloves are provided."),
        ("Summer party, who brings what", "Salads, bread and music are still missing."),
        ("Visit from the school", "A class of ten-year-olds wants to see the workshop."),
        ("What should the next course be?", "Vote, and write if something is missing."),
    ),
}

POLLS = {
    "Which evening suits you best?": ("evening", ("Monday", "Tuesday", "Wednesday", "Thursday"), "marion"),
    "What should the next course be?": ("course", ("Welding", "Basket weaving", "Bookbinding", "Casting"), "hanne"),
    "Which slicer do you use?": ("slicer", ("Cura", "PrusaSlicer", "Something else"), "emil"),
    "Winter tyres, yes or no": ("tyres", ("Yes, always", "Only with ice", "Never"), "kofi"),
    "Oil or wax for a cutting board": ("finish", ("Linseed oil", "Beeswax", "Both"), "boris"),
    "Loom for the gallery": ("loom", ("Take it", "Leave it"), "marion"),
    "Excursion to the paper mill": ("date", ("14 March", "21 March", "28 March"), "julia"),
}
"""By title of the topic: the poll's name, its choices and who asks."""
VOTED = ("course", "slicer", "finish")
"""The polls in which the person at the browser has voted."""
CLOSED = (
    "Fire drill on Thursday",
    "Radio hums at fifty hertz",
    "Models for the school fair",
    "Moths in the wool cupboard",
    "Free pallets behind the shed",
    "Visit from the school",
)
PINNED = ("Please label your shelves", "Cargo bike for rent?", "Repair cafe needs helpers", "Leftover tiles, white")

MESSAGES = (
    ("Keys for the weekend", "Can you lock up on Saturday? I have to leave at four.", ("kofi", "marion")),
    (
        "Budget for the repair cafe",
        "It will be about three hundred.",
        ("hanne", "marion", "julia"),
    ),
    ("Your offer of the loom", "When could we come and look at it?", ("marion", "dora")),
    ("Complaint about the noise", "A neighbour wrote to us. Shall we answer together?", ("alba", "marion", "ivo")),
    ("Window in the wood store", "It does not close any more. Who can look at it with me?", ("marion", "boris", "ivo")),
    ("Spare projector", "Would you lend it to us for the excursion evening?", ("marion", "fatima")),
    ("Birthday surprise", "Lotte turns fifty. We collect for a set of chisels.", ("marion", "emil", "fatima")),
    ("Course fees", "Two people have not paid for the sewing course.", ("lotte", "marion")),
    ("Photos of the open day", "May we print them in the newsletter?", ("george", "marion", "cem")),
)
"""Private topics: title, text, and who takes part; the first writes."""

OPENERS = (
    "I had the same trouble last year.",
    "Good question.",
    "In my experience it is simple.",
    "Thanks for asking, I wondered too.",
    "Ask at the counter first.",
    "I tried that in autumn.",
    "A friend of mine swears by it.",
    "It depends on the weather, I think.",
    "Count me in.",
    "We talked about this at the last meeting.",
    "Yes, please.",
)
MIDDLES = (
    "Take your time and do it twice",
    "The cheap version is good enough",
    "There is a box of spares in the cellar",
    "Somebody left a note about it on the board",
    "I would start with the simplest part",
    "Measure again before you change anything",
    "A drop of oil did it for me",
    "I have one at home that you can borrow",
    "The library has a good book about it",
    "Check the screws, they come loose",
    "It worked after I had waited a day",
    "Write down what you change",
    "I would rather ask two people than one",
    "The second attempt is always better",
)
CLOSERS = (
    "and tell us how it went.",
    "and you will see.",
    "but do not quote me.",
    "so I would not worry.",
    "at least that is how I did it.",
    "and bring cake as a thank you.",
    "before Saturday if you can.",
    "then come and see me.",
    "and it costs nothing.",
    "even if it looks odd.",
)
