"""The words of the seeded catalogue: what is sold, by whom, and what can be said of it. Only data, and no code.

A change here changes every product, so `selfgym.envs.web.sites.shop.shop.ShopSite.version` has to change with it.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Choice:
    """An option that a customer chooses: its name, its values, and what each value costs more than the one before."""

    name: str
    values: tuple[str, ...]
    step: int = 0
    """In cents."""


@dataclass(frozen=True, slots=True)
class Sort:
    """One sort of product."""

    name: str
    """What a customer would search for."""
    low: int
    high: int
    """Its prices, in dollars."""
    traits: str
    """What only products of this sort can be, with commas between."""
    choices: tuple[Choice, ...] = ()


@dataclass(frozen=True, slots=True)
class Department:
    """Sorts that share a shelf."""

    path: str
    """Its place in the shop, from the widest shelf on."""
    traits: str
    """What any product here can be."""
    audiences: str
    """Whom it is for, in the title; may be empty."""
    sorts: tuple[Sort, ...]


COLOR = Choice(
    "color",
    (
        "black",
        "white",
        "red",
        "navy blue",
        "forest green",
        "grey",
        "pink",
        "yellow",
        "purple",
        "orange",
        "teal",
        "brown",
        "beige",
        "light blue",
        "burgundy",
        "silver",
    ),
)
SHOE = Choice("size", ("6", "7", "8", "9", "10", "11", "12"))
WEAR = Choice("size", ("small", "medium", "large", "x-large", "xx-large"), 150)
FINISH = Choice("finish", ("matte black", "brushed nickel", "polished chrome", "antique brass", "white enamel"))
WOOD = Choice("finish", ("natural oak", "dark walnut", "white", "espresso", "rustic grey"))
VOLUME = Choice("size", ("4 ounce", "8 ounce", "12 ounce", "16 ounce"), 325)
LITRES = Choice("capacity", ("16 ounce", "24 ounce", "32 ounce", "64 ounce"), 400)
SCENT = Choice("scent", ("unscented", "lavender", "citrus", "vanilla", "eucalyptus", "rose", "coconut"))
FLAVOR = Choice("flavor", ("original", "vanilla", "hazelnut", "caramel", "mint", "cherry", "sea salt"))
PACK = Choice("number of items", ("pack of 1", "pack of 2", "pack of 4", "pack of 6"), 599)
LENGTH = Choice("length", ("3 feet", "6 feet", "10 feet"), 250)
PHONE = Choice("model", ("nova 10", "nova 11", "nova 12 pro", "pixel glass 7", "pixel glass 8"))
SPREAD = Choice("size", ("twin", "full", "queen", "king"), 900)
CARPET = Choice("size", ("2 x 3 feet", "4 x 6 feet", "5 x 8 feet", "8 x 10 feet"), 2500)
WEIGHT = Choice("weight", ("5 pounds", "10 pounds", "15 pounds", "20 pounds", "25 pounds"), 800)
PEOPLE = Choice("capacity", ("2 person", "4 person", "6 person"), 3000)
PIECES = Choice("pieces", ("300 pieces", "500 pieces", "1000 pieces"), 200)
RULING = Choice("ruling", ("lined", "dotted", "blank", "grid"))

DEPARTMENTS = (
    Department(
        "Clothing, Shoes & Jewelry > Shoes",
        "lightweight,breathable,slip resistant,memory foam,wide fit,rubber sole,arch support,vegan leather",
        "Women's,Men's,Unisex,Kids'",
        (
            Sort("running shoes", 28, 140, "shock absorbing,reflective details,trail grip", (COLOR, SHOE)),
            Sort("hiking boots", 45, 190, "waterproof,ankle support,steel shank", (COLOR, SHOE)),
            Sort("sandals", 15, 80, "quick drying,adjustable straps,open toe", (COLOR, SHOE)),
            Sort("slippers", 12, 55, "faux fur lined,indoor outdoor,closed back", (COLOR, SHOE)),
            Sort("sneakers", 25, 120, "high top,low top,canvas upper", (COLOR, SHOE)),
        ),
    ),
    Department(
        "Clothing, Shoes & Jewelry > Clothing",
        "machine washable,long sleeve,relaxed fit,slim fit,organic cotton,moisture wicking,wrinkle free,stretchy",
        "Women's,Men's,Girls',Boys'",
        (
            Sort("t-shirt", 9, 42, "crew neck,v neck,graphic print", (COLOR, WEAR)),
            Sort("hoodie", 22, 88, "fleece lined,kangaroo pocket,full zip", (COLOR, WEAR)),
            Sort("rain jacket", 35, 170, "waterproof,packable,sealed seams", (COLOR, WEAR)),
            Sort("jeans", 24, 110, "high waist,straight leg,button fly", (COLOR, WEAR)),
            Sort("pajama set", 18, 75, "elastic waist,satin finish,short sleeve", (COLOR, WEAR)),
        ),
    ),
    Department(
        "Home & Kitchen > Kitchen & Dining",
        "dishwasher safe,bpa free,stainless steel,easy to clean,non slip,space saving,heat resistant,gift ready",
        "",
        (
            Sort("frying pan", 16, 120, "non stick,oven safe,cast iron", (FINISH,)),
            Sort("knife set", 25, 210, "full tang,high carbon,self sharpening", (FINISH,)),
            Sort("water bottle", 9, 48, "vacuum insulated,leak proof,wide mouth", (COLOR, LITRES)),
            Sort("coffee maker", 24, 230, "programmable,single serve,thermal carafe", (FINISH,)),
            Sort("food storage containers", 12, 65, "airtight,stackable,freezer safe", (COLOR, PACK)),
        ),
    ),
    Department(
        "Home & Kitchen > Home Decor",
        "hand made,eco friendly,easy care,modern style,farmhouse style,soft touch,fade resistant,hypoallergenic",
        "",
        (
            Sort("desk lamp", 18, 95, "dimmable,usb charging port,adjustable arm", (FINISH,)),
            Sort("throw blanket", 15, 85, "reversible,sherpa lined,weighted", (COLOR, SPREAD)),
            Sort("bath towels", 14, 70, "quick drying,turkish cotton,extra large", (COLOR, PACK)),
            Sort("area rug", 30, 260, "low pile,stain resistant,non shedding", (COLOR, CARPET)),
            Sort("curtains", 16, 90, "blackout,sheer,noise reducing", (COLOR, LENGTH)),
        ),
    ),
    Department(
        "Home & Kitchen > Furniture",
        "easy assemble,solid wood,heavy duty,space saving,mid century,scratch resistant,wobble free",
        "",
        (
            Sort("office chair", 60, 380, "lumbar support,adjustable height,mesh back", (COLOR,)),
            Sort("bookshelf", 40, 240, "five tier,wall mounted,open back", (WOOD,)),
            Sort("nightstand", 35, 190, "soft close drawer,wireless charging,round top", (WOOD,)),
            Sort("bar stools", 45, 260, "swivel seat,counter height,padded seat", (COLOR, PACK)),
            Sort("coffee table", 55, 340, "lift top,tempered glass,hidden storage", (WOOD,)),
        ),
    ),
    Department(
        "Electronics > Accessories",
        "fast charging,long lasting,compact size,high speed,dust proof,plug and play,travel friendly,gold plated",
        "",
        (
            Sort("bluetooth speaker", 19, 180, "waterproof,stereo sound,deep bass", (COLOR,)),
            Sort("wireless headphones", 24, 260, "noise cancelling,over ear,foldable", (COLOR,)),
            Sort("phone case", 8, 45, "shock proof,wireless charging compatible,clear back", (COLOR, PHONE)),
            Sort("usb cable", 6, 29, "nylon braided,right angle,data transfer", (COLOR, LENGTH)),
            Sort("portable charger", 17, 90, "solar powered,built in cable,led display", (COLOR,)),
        ),
    ),
    Department(
        "Beauty & Personal Care > Skin & Hair",
        "cruelty free,paraben free,fragrance free,sulfate free,natural ingredients,alcohol free,sensitive skin",
        "Women's,Men's,Unisex",
        (
            Sort("face moisturizer", 9, 68, "hyaluronic acid,spf 30,oil free", (SCENT, VOLUME)),
            Sort("shampoo", 7, 44, "argan oil,color safe,anti dandruff", (SCENT, VOLUME)),
            Sort("lip balm", 4, 18, "beeswax,tinted,long wear", (SCENT, PACK)),
            Sort("nail polish", 5, 22, "quick dry,high shine,chip resistant", (COLOR,)),
            Sort("body lotion", 7, 40, "shea butter,coconut oil,deep hydration", (SCENT, VOLUME)),
        ),
    ),
    Department(
        "Grocery & Gourmet Food > Pantry",
        "gluten free,non gmo,usda organic,low sugar,dairy free,soy free,kosher,plant based,artificial color free",
        "",
        (
            Sort("ground coffee", 8, 36, "dark roast,decaffeinated,single origin", (FLAVOR, PACK)),
            Sort("green tea", 6, 32, "loose leaf,caffeine free,hand picked", (FLAVOR, PACK)),
            Sort("granola bars", 7, 30, "high protein,nut free,individually wrapped", (FLAVOR, PACK)),
            Sort("dark chocolate", 5, 34, "fair trade,85 percent cocoa,stone ground", (FLAVOR, PACK)),
            Sort("trail mix", 8, 38, "resealable bag,low sodium,raw nuts", (FLAVOR, PACK)),
        ),
    ),
    Department(
        "Sports & Outdoors > Fitness & Camping",
        "heavy duty,water resistant,easy to carry,sweat proof,all weather,non toxic,beginner friendly,tear resistant",
        "",
        (
            Sort("yoga mat", 15, 95, "extra thick,alignment lines,natural rubber", (COLOR,)),
            Sort("dumbbells", 18, 160, "neoprene coated,hexagonal,anti roll", (COLOR, WEIGHT)),
            Sort("camping tent", 48, 390, "pop up,two doors,rain fly", (COLOR, PEOPLE)),
            Sort("bike helmet", 22, 130, "removable visor,dial fit,rear light", (COLOR, WEAR)),
            Sort("backpack", 24, 150, "laptop sleeve,hydration ready,roll top", (COLOR,)),
        ),
    ),
    Department(
        "Pets, Toys & Office > Everyday",
        "child safe,refillable,acid free,easy to clean,gift ready,non toxic,recycled material,award winning",
        "",
        (
            Sort("dog bed", 19, 130, "orthopedic foam,removable cover,raised edge", (COLOR, WEAR)),
            Sort("cat toys", 6, 30, "catnip filled,feather wand,self rolling", (COLOR, PACK)),
            Sort("notebook", 6, 28, "hard cover,numbered pages,lay flat binding", (COLOR, RULING)),
            Sort("gel pens", 5, 26, "fine point,smudge proof,retractable", (COLOR, PACK)),
            Sort("jigsaw puzzle", 9, 38, "matte finish,poster included,panoramic", (PIECES,)),
        ),
    ),
)

BRANDS = [
    "Northvale",
    "Brightwell",
    "Oakhaven",
    "Lumora",
    "Cedar & Finch",
    "Tallgrass",
    "Kestrel",
    "Marrow",
    "Sunfield",
    "Velora",
    "Pinehurst",
    "Arden",
    "Bluebarn",
    "Calloway",
    "Driftline",
    "Everstead",
    "Foxmoor",
    "Glimmer",
    "Hartley",
    "Ironwood",
    "Juniper Row",
    "Kindle & Oak",
    "Larkspur",
    "Moxie",
    "Nimbly",
    "Orchard",
    "Pepperdine",
    "Quillon",
    "Ridgeback",
    "Saltmarsh",
    "Thornbury",
    "Umbra",
    "Verity",
    "Wexford",
    "Yarrow",
    "Zephyr",
]

SERIES = [
    "Alba",
    "Beacon",
    "Cobalt",
    "Dune",
    "Echo",
    "Fable",
    "Grove",
    "Haven",
    "Iris",
    "Jasper",
    "Kite",
    "Lagoon",
    "Mesa",
    "Nova",
    "Opal",
    "Prairie",
    "Quartz",
    "Raven",
    "Sable",
    "Tidal",
    "Union",
    "Vista",
    "Willow",
    "Xenia",
    "Yonder",
    "Zenith",
    "Amber",
    "Basil",
    "Canyon",
    "Delta",
]

DESCRIPTIONS = (
    "The {brand} {series} is our take on {sort} for every day. {first} and {second}, it is made to last.",
    "Meet {series}: {sort} by {brand}. We kept what customers liked and made it {first} and {second}.",
    "{brand} has made {sort} for three generations. The {series} line is {first}, {second}, and priced fairly.",
    "Looking for {sort} you can rely on? {series} by {brand} is {first} and {second}, and has a two year warranty.",
)

FEATURES = (
    "{Trait}: chosen by our customers as the reason they would buy it again.",
    "{Trait} - tested in our own workshop before it leaves the house.",
    "Designed to be {trait}, so that you can forget about it.",
    "{Trait}. No compromises, no small print.",
    "Quality you can feel: {trait}.",
)

SERVICE = (
    "Returns are free within 30 days.",
    "Ships in a plastic free box.",
    "Customer service answers within a day.",
    "Comes with a two year warranty.",
)

AUTHORS = [
    "Alex",
    "Bo",
    "Carmen",
    "Dana",
    "Eli",
    "Farah",
    "Gus",
    "Hana",
    "Ivo",
    "June",
    "Kofi",
    "Lena",
    "Mika",
    "Nia",
    "Otto",
    "Priya",
    "Quinn",
    "Rosa",
    "Sam",
    "Tess",
]

OPINIONS = (
    (1, "Disappointed", "It broke after a week, and I sent it back."),
    (2, "Not for me", "Smaller than I thought, and the colour was off."),
    (3, "It is all right", "Does what it says, nothing more."),
    (3, "Mixed feelings", "Good idea, but the finish could be better."),
    (4, "Good value", "For this price you will not find a better one."),
    (4, "Solid", "A month in and still happy with it."),
    (4, "Nice gift", "My sister loved it; the box was a bit dented."),
    (5, "Excellent", "Exactly as described and quickly delivered."),
    (5, "Love it", "I have bought a second one for my parents."),
    (5, "Best I ever had", "I use it every single day."),
)

UNSAID = {
    "a",
    "an",
    "and",
    "are",
    "as",
    "at",
    "be",
    "but",
    "by",
    "for",
    "if",
    "in",
    "into",
    "is",
    "it",
    "no",
    "not",
    "of",
    "on",
    "or",
    "s",
    "such",
    "that",
    "the",
    "their",
    "then",
    "there",
    "these",
    "they",
    "this",
    "to",
    "was",
    "will",
    "with",
}
"""Words that a search leaves out, as Lucene's English analyser does."""
