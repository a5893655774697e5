"""Recipes with their ingredients, and a plan of what is cooked on which day."""

from .endpoint import ApiError, Call, Date, reads, writes
from .schema import Row


@reads
def search(call: Call, query: str = "", category: str = "", page_index: int = 0, page_limit: int = 5) -> list[Row]:
    """The recipes by title that have the query in the title, of this category."""
    sql = "select * from recipes where title like ? and (? = '' or category = ?) order by title, id"
    return call.page(sql, f"%{query}%", category, category, page_index=page_index, page_limit=page_limit)


@reads
def show(call: Call, recipe_id: int) -> Row:
    """One recipe."""
    return call.one("recipes", recipe_id, "recipe")


@reads
def ingredients(call: Call, recipe_id: int) -> list[Row]:
    """The ingredients of a recipe: name, amount, unit."""
    call.one("recipes", recipe_id, "recipe")
    return call.rows("select name, amount, unit from ingredients where recipe_id = ? order by id", recipe_id)


@reads
def with_ingredient(call: Call, name: str, page_index: int = 0, page_limit: int = 5) -> list[Row]:
    """The recipes by title that have an ingredient of exactly this name."""
    sql = "select * from recipes where id in (select recipe_id from ingredients where name = ?) order by title, id"
    return call.page(sql, name, page_index=page_index, page_limit=page_limit)


@writes
def set_favorite(call: Call, recipe_id: int, favorite: bool = True) -> Row:
    """Mark a recipe as a favorite, or take the mark off."""
    call.one("recipes", recipe_id, "recipe")
    return call.change("recipes", recipe_id, favorite=int(favorite))


@writes
def add_ingredient(call: Call, recipe_id: int, name: str, amount: int, unit: str) -> Row:
    """Add an ingredient to a recipe."""
    call.one("recipes", recipe_id, "recipe")
    return call.add("ingredients", recipe_id=recipe_id, name=name, amount=amount, unit=unit)


@writes
def remove_ingredient(call: Call, recipe_id: int, name: str) -> str:
    """Take an ingredient out of a recipe."""
    if not call.rows("select id from ingredients where recipe_id = ? and name = ?", recipe_id, name):
        raise ApiError(f"recipe {recipe_id} has no ingredient {name!r}")
    call.remove("ingredients", recipe_id=recipe_id, name=name)
    return name


@reads
def meals(call: Call, from_date: Date, to_date: Date) -> list[Row]:
    """What is planned from one date to another (both included): date, recipe_id, title, and the id of the meal."""
    return call.rows(
        "select meals.id, date, recipe_id, title from meals join recipes on recipes.id = recipe_id "
        "where date >= ? and date <= ? order by date, meals.id",
        from_date,
        to_date,
    )


@writes
def plan_meal(call: Call, date: Date, recipe_id: int) -> Row:
    """Plan a recipe for a day."""
    call.one("recipes", recipe_id, "recipe")
    return call.add("meals", date=date, recipe_id=recipe_id)


@writes
def cancel_meal(call: Call, meal_id: int) -> Row:
    """Take a meal off the plan."""
    meal = call.one("meals", meal_id, "meal")
    call.remove("meals", id=meal_id)
    return meal
