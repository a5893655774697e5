"""Scenarios around workouts and recipes, for the split ``test-challenge``: no other split has any that need these."""

from __future__ import annotations

from datetime import timedelta

from selfgym.envs.apps import words
from selfgym.envs.apps.api.schema import Row
from selfgym.envs.apps.evaluate import Expected
from selfgym.envs.apps.scenarios.scenario import Draw, Task, UnfitWorldError, scenario, some


def later(draw: Draw, days: int) -> str:
    """The date in so many days."""
    return str(draw.world.today + timedelta(days=days))


def needs(draw: Draw, recipe: Row) -> list[Row]:
    """The ingredients of a recipe."""
    return draw.world.rows("ingredients", recipe_id=recipe["id"])


@scenario(
    1,
    "test-challenge",
    """
    apis.fitness.log(kind=kind, date=date, minutes=minutes, kilometres=kilometres)
    ---
    apis.fitness.set_goal(kind=kind, minutes=goal)
    """,
)
def log_workout(draw: Draw) -> Task:
    """Write down a workout, and set a goal."""
    kind, day = draw.one(words.WORKOUTS), later(draw, -1)
    minutes, kilometres, goal = draw.any(range(20, 90)), draw.any(range(1, 25)), draw.any((200, 220, 250))
    more = {"date": day, "minutes": minutes, "kilometres": kilometres}
    expected = Expected().add("workouts", kind=kind, **more)
    before = draw.world.rows("goals", kind=kind)
    if before:
        expected.change("goals", before[0]["id"], minutes=goal)
    else:
        expected.add("goals", kind=kind, minutes=goal)
    return Task(
        f"Log a workout for me: {kind} on {day}, {minutes} minutes, {kilometres} kilometres. Then set my weekly goal "
        f"for {kind} to {goal} minutes.",
        {"kind": kind, **more, "goal": goal},
        expected,
    )


@scenario(
    1,
    "test-challenge",
    """
    recipes = apis.recipes.search(category=category, page_limit=20)
    print(len(recipes))
    ---
    for recipe in recipes:
        apis.recipes.set_favorite(recipe_id=recipe["id"])
    """,
)
def favorite_category(draw: Draw) -> Task:
    """Mark all recipes of a category as favorites."""
    category = draw.one(one for one in words.MEAL_KINDS if draw.world.rows("recipes", category=one, favorite=0))
    expected = Expected()
    for recipe in draw.world.rows("recipes", category=category, favorite=0):
        expected.change("recipes", recipe["id"], favorite=1)
    return Task(f'Mark all recipes of the category "{category}" as favorites.', {"category": category}, expected)


@scenario(
    1,
    "test-challenge",
    """
    recipe = apis.recipes.search(query=title)[0]
    ---
    rows = apis.recipes.ingredients(recipe_id=recipe["id"])
    answer = [row["name"] for row in rows]
    """,
)
def list_ingredients(draw: Draw) -> Task:
    """Tell what a recipe needs."""
    recipe = draw.one(draw.world.rows("recipes"))
    return Task(
        f"Which ingredients does my recipe {recipe['title']} need? Answer with the list of their names.",
        {"title": recipe["title"]},
        answer=[row["name"] for row in needs(draw, recipe)],
    )


@scenario(
    2,
    "test-challenge",
    """
    rows = []
    for page in range(4):
        rows += apis.fitness.workouts(kind=kind, page_index=page, page_limit=20)
    minutes = sum(row["minutes"] for row in rows)
    ---
    apis.fitness.set_goal(kind=kind, minutes=minutes // len(rows) + more)
    """,
)
def raise_goal(draw: Draw) -> Task:
    """Set a goal above the mean of the workouts of a kind."""
    kind = draw.one(kind for kind in words.WORKOUTS if draw.world.rows("workouts", kind=kind))
    minutes, more = [row["minutes"] for row in draw.world.rows("workouts", kind=kind)], draw.any((5, 10, 15, 20))
    goal = sum(minutes) // len(minutes) + more
    before = draw.world.rows("goals", kind=kind)
    if before and before[0]["minutes"] == goal:
        raise UnfitWorldError("the goal is this already")
    expected = Expected()
    if before:
        expected.change("goals", before[0]["id"], minutes=goal)
    else:
        expected.add("goals", kind=kind, minutes=goal)
    return Task(
        f"Set my weekly goal for {kind} to the mean minutes of all my {kind} workouts, rounded down, plus {more}.",
        {"kind": kind, "more": more},
        expected,
    )


@scenario(
    2,
    "test-challenge",
    """
    recipe = apis.recipes.search(query=title)[0]
    rows = apis.recipes.ingredients(recipe_id=recipe["id"])
    lists = {one["name"]: one["id"] for one in apis.todo.lists()}
    ---
    for row in rows:
        title = "buy " + row["name"]
        apis.todo.create(list_id=lists[list_name], title=title, due=due)
    """,
)
def shopping_tasks(draw: Draw) -> Task:
    """Make tasks of the ingredients of a recipe."""
    recipe, place = draw.one(draw.world.rows("recipes")), draw.any(draw.world.rows("todo_lists"))
    due = later(draw, draw.any((1, 2, 3)))
    expected = Expected()
    for row in needs(draw, recipe):
        expected.add("tasks", list_id=place["id"], title=f"buy {row['name']}", due=due, priority="normal")
    return Task(
        f'For each ingredient of my recipe {recipe["title"]}, add a task "buy <name>" due {due} to my list '
        f"{place['name']}.",
        {"title": recipe["title"], "list_name": place["name"], "due": due},
        expected,
    )


@scenario(
    2,
    "test-challenge",
    """
    rows = []
    for page in range(4):
        rows += apis.fitness.workouts(page_index=page, page_limit=20)
    rows = [row for row in rows if row["minutes"] < minutes]
    ---
    for row in rows:
        apis.fitness.delete(workout_id=row["id"])
    """,
)
def delete_short_workouts(draw: Draw) -> Task:
    """Delete the workouts that were too short."""
    rows = draw.world.rows("workouts")
    minutes = draw.one(sorted({row["minutes"] for row in rows})[1:])
    expected = Expected()
    for row in rows:
        if row["minutes"] < minutes:
            expected.remove("workouts", row["id"])
    return Task(f"Delete all my workouts of less than {minutes} minutes.", {"minutes": minutes}, expected)


@scenario(
    2,
    "test-challenge",
    """
    found = apis.recipes.with_ingredient(name=name, page_limit=20)
    recipe = min(found, key=lambda recipe: recipe["minutes"])
    ---
    apis.recipes.plan_meal(date=date, recipe_id=recipe["id"])
    """,
)
def plan_quickest_meal(draw: Draw) -> Task:
    """Plan the quickest recipe with an ingredient."""

    def quickest(name: str) -> list[Row]:
        ids = {row["recipe_id"] for row in draw.world.rows("ingredients", name=name)}
        recipes = [draw.world.row("recipes", number) for number in sorted(ids)]
        least = min((recipe["minutes"] for recipe in recipes), default=0)
        return [recipe for recipe in recipes if recipe["minutes"] == least]

    name, day = draw.one(name for name in words.GROCERIES if len(quickest(name)) == 1), later(draw, draw.any((2, 3, 4)))
    return Task(
        f"Of my recipes that need {name}, plan the one that takes the fewest minutes as the meal for {day}.",
        {"name": name, "date": day},
        Expected().add("meals", date=day, recipe_id=quickest(name)[0]["id"]),
    )


@scenario(
    3,
    "test-challenge",
    """
    meals = apis.recipes.meals(from_date=from_date, to_date=to_date)
    names = []
    for meal in meals:
        rows = apis.recipes.ingredients(recipe_id=meal["recipe_id"])
        names += [row["name"] for row in rows]
    ---
    body = "\\n".join(sorted(set(names)))
    apis.notes.create(title=title, body=body)
    """,
)
def shopping_note(draw: Draw) -> Task:
    """Note what all planned meals of some days need."""
    until = draw.one(sorted({meal["date"] for meal in draw.world.rows("meals") if meal["date"] >= later(draw, 0)}))
    meals = [meal for meal in draw.world.rows("meals") if later(draw, 0) <= meal["date"] <= until]
    names = {row["name"] for meal in meals for row in needs(draw, draw.world.row("recipes", meal["recipe_id"]))}
    title = draw.any(("Shopping", "To buy", "Market"))
    return Task(
        f'Write a note "{title}" with the names of all ingredients that my planned meals from {later(draw, 0)} to '
        f"{until} need, each once, sorted by alphabet, one a line.",
        {"from_date": later(draw, 0), "to_date": until, "title": title},
        Expected().add("notes", title=title, body="\n".join(sorted(names))),
    )


@scenario(
    3,
    "test-challenge",
    """
    rows = []
    for page in range(4):
        rows += apis.fitness.workouts(from_date=start, page_index=page, page_limit=20)
    totals = {}
    for row in rows:
        totals[row["kind"]] = totals.get(row["kind"], 0) + row["minutes"]
    ---
    lines = [kind + ": " + str(totals[kind]) for kind in sorted(totals)]
    person = apis.contacts.search(query=name)[0]
    body = "\\n".join(lines)
    apis.mail.send(to=[person["email"]], subject="Training", body=body)
    """,
)
def mail_training(draw: Draw) -> Task:
    """Send somebody the minutes of each kind of workout since a day."""
    start = later(draw, -draw.one((10, 14, 18, 21, 25)))
    person = draw.any(draw.world.rows("contacts"))
    totals: dict[str, int] = {}
    for row in draw.world.rows("workouts"):
        if row["date"] >= start:
            totals[row["kind"]] = totals.get(row["kind"], 0) + row["minutes"]
    if not totals:
        raise UnfitWorldError("no workouts")
    body = "\n".join(f"{kind}: {totals[kind]}" for kind in sorted(totals))
    return Task(
        f'Send {person["name"]} a mail with the subject "Training": one line "<kind>: <minutes>" for each kind of '
        f"workout that I did from {start} on, with the sum of its minutes, sorted by kind.",
        {"start": start, "name": person["name"]},
        Expected().add("mail", folder="sent", recipients=person["email"], subject="Training", body=body),
    )


@scenario(
    3,
    "test-challenge",
    """
    meals = apis.recipes.meals(from_date=from_date, to_date=to_date)
    slow = []
    for meal in meals:
        recipe = apis.recipes.show(recipe_id=meal["recipe_id"])
        if recipe["minutes"] > minutes:
            slow.append(meal)
    ---
    for meal in slow:
        apis.recipes.cancel_meal(meal_id=meal["id"])
        title = "Cook " + meal["title"]
        apis.calendar.create(title=title, date=date, starts="18:00", ends="20:00")
    """,
)
def move_slow_meals(draw: Draw) -> Task:
    """Take meals that take long off the plan, and make events of them on another day."""
    start, end = later(draw, -3), later(draw, 9)
    meals = [meal for meal in draw.world.rows("meals") if start <= meal["date"] <= end]
    recipes = {meal["id"]: draw.world.row("recipes", meal["recipe_id"]) for meal in meals}
    minutes = draw.one(sorted({recipe["minutes"] for recipe in recipes.values()})[:-1])
    day, expected = later(draw, draw.any((11, 12, 13))), Expected()
    for meal in meals:
        if recipes[meal["id"]]["minutes"] > minutes:
            expected.remove("meals", meal["id"])
            title = f"Cook {recipes[meal['id']]['title']}"
            expected.add("events", title=title, date=day, starts="18:00", ends="20:00", place="")
    if not some(list(expected.removed["meals"])):
        raise UnfitWorldError("no slow meal")
    return Task(
        f"Take all planned meals from {start} to {end} whose recipes take more than {minutes} minutes off the plan. "
        f'For each of them make a calendar event "Cook <title of the recipe>" on {day} from 18:00 to 20:00.',
        {"from_date": start, "to_date": end, "minutes": minutes, "date": day},
        expected,
    )
