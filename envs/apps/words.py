"""The words that worlds are made of."""

FIRST = (
    *("Ada", "Boris", "Carla", "Dmitri", "Elena", "Farid", "Greta", "Hugo", "Ines", "Jonas", "Kira", "Leon"),
    *("Mira", "Nadia", "Oskar", "Petra", "Rafael", "Sonja", "Tomas", "Uma", "Viktor", "Wanda", "Yusuf", "Zoe"),
)
LAST = (
    *("Abel", "Brandt", "Castro", "Dalal", "Ekberg", "Fabre", "Galli", "Hansen", "Ivanov", "Jansen", "Keller"),
    *("Lindt", "Moreau", "Novak", "Okafor", "Pinto", "Quist", "Rossi", "Santos", "Toth", "Urban", "Weber"),
)
CITIES = ("Porto", "Lyon", "Graz", "Bergen", "Gdansk", "Turin")
COMPANIES = ("Nordwind", "Bluestone", "Papermill", "Quarry Labs", "Harbor Foods", "Lumen")
STREETS = ("Mill Lane", "Station Road", "High Street", "Garden Row", "Bridge Street")
SENDERS = ("news@dailybrief.example", "offers@bargains.example", "club@readers.example")

TOPICS = ("budget", "workshop", "holiday", "report", "invoice", "garden", "concert", "contract")
SUBJECTS = ("About the {}", "Question on the {}", "{} update", "Plans for the {}", "The {} again")
BODIES = (
    "Could you have a look at the {} before the weekend?",
    "I have changed two things in the {}. Tell me what you think.",
    "The {} is nearly done. One page is missing.",
    "Nobody told me about the {}. Is there anything to prepare?",
)
MAIL_LABELS = ("", "", "work", "family")

EVENTS = ("Review", "Lunch", "Planning", "Training", "Interview", "Rehearsal", "Check-up", "Demo")
PLACES = ("Room 1", "Room 2", "Cafe Linde", "Town hall", "Online")
NOTES = ("Packing list", "Book tips", "Garden plan", "Gift ideas", "Meeting minutes", "Paint colours", "Film list")
TAGS = ("home", "work", "ideas", "travel")
FOLDERS = ("/documents", "/invoices", "/photos", "/projects", "/archive")
PAPERS = ("letter", "summary", "plan", "budget", "minutes", "draft")
MONTHS = ("january", "february", "march", "april", "may", "june", "july", "august")

PRODUCTS = {
    "kitchen": ("kettle", "pan", "bread knife", "mixing bowl", "scale", "toaster", "teapot"),
    "books": ("atlas", "cookbook", "crime novel", "dictionary", "poem collection", "travel guide", "comic"),
    "garden": ("rake", "watering can", "spade", "seed box", "hose", "flower pot", "gloves"),
    "office": ("stapler", "desk lamp", "notebook", "fountain pen", "folder set", "chair pad", "calculator"),
    "sports": ("yoga mat", "skipping rope", "tennis ball set", "water bottle", "cap", "dumbbell", "swim goggles"),
}
TASKS = {
    "Work": ("write the report", "call the printer", "book a room", "check the numbers", "order paper", "file notes"),
    "Home": ("clean the windows", "fix the tap", "paint the door", "sort the cellar", "wash the car", "air the beds"),
    "Errands": ("buy stamps", "collect the parcel", "return the book", "buy batteries", "get keys cut", "buy bread"),
    "Garden": ("cut the hedge", "water the roses", "plant beans", "mow the lawn", "rake leaves", "turn compost"),
}
PRIORITIES = ("low", "normal", "high")
PAID_FOR = ("dinner", "tickets", "taxi", "gift", "groceries", "rent")

GENRES = ("jazz", "rock", "folk", "classical", "electronic")
ARTISTS = ("Low Tide", "The Brass Hats", "Nina Falk", "Quartet Vier", "Paper Moons", "Old Harbour", "Delta Nine")
TITLE_ONE = ("Blue", "Silent", "Golden", "Broken", "Distant", "Little", "Wild", "Paper")
TITLE_TWO = ("River", "Morning", "Letters", "Engine", "Garden", "Lights", "Winter", "Streets")
PLAYLISTS = ("Morning run", "Cooking", "Focus", "Party")
CHAT = (
    "See you at the {}?",
    "Thanks for the {}!",
    "Did you get the {}?",
    "I forgot the {}, sorry.",
    "Let us talk about the {} tomorrow.",
)
SPAM = "You won a prize, click here"

HOTELS = ("Anchor", "Lindenhof", "Central", "Old Mill")
WORKOUTS = ("running", "cycling", "swimming", "yoga", "hiking")
MEAL_KINDS = ("soup", "pasta", "salad", "bake")
DISHES = {
    "soup": ("Leek soup", "Lentil soup", "Tomato soup", "Carrot soup"),
    "pasta": ("Pesto pasta", "Mushroom pasta", "Lemon pasta", "Bean pasta"),
    "salad": ("Potato salad", "Rice salad", "Beet salad", "Corn salad"),
    "bake": ("Potato bake", "Onion tart", "Apple crumble", "Cheese pie"),
}
GROCERIES = ("flour", "butter", "eggs", "onions", "potatoes", "cream", "garlic", "rice", "apples", "cheese")
