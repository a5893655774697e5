"""Fitness: workouts that were done, and goals for a week."""

from typing import Literal

from .endpoint import ApiError, Call, Date, reads, writes
from .schema import Row

Kind = Literal["running", "cycling", "swimming", "yoga", "hiking"]


@reads
def workouts(
    call: Call,
    kind: Literal["", "running", "cycling", "swimming", "yoga", "hiking"] = "",
    from_date: Date = "0001-01-01",
    page_index: int = 0,
    page_limit: int = 5,
) -> list[Row]:
    """The workouts of a kind from a date on, the earliest first."""
    sql = "select * from workouts where (? = '' or kind = ?) and date >= ? order by date, id"
    return call.page(sql, kind, kind, from_date, page_index=page_index, page_limit=page_limit)


@reads
def show(call: Call, workout_id: int) -> Row:
    """One workout."""
    return call.one("workouts", workout_id, "workout")


@writes
def log(call: Call, kind: Kind, date: Date, minutes: int, kilometres: int = 0) -> Row:
    """Write down a workout."""
    if minutes < 1 or kilometres < 0:
        raise ApiError("minutes must be 1 or more, and kilometres 0 or more")
    return call.add("workouts", kind=kind, date=date, minutes=minutes, kilometres=kilometres)


@writes
def update(call: Call, workout_id: int, field: Literal["minutes", "kilometres"], value: int) -> Row:
    """Correct the minutes or kilometres of a workout."""
    call.one("workouts", workout_id, "workout")
    if value < 0:
        raise ApiError(f"{field} must be 0 or more, not {value}")
    return call.change("workouts", workout_id, **{field: value})


@writes
def delete(call: Call, workout_id: int) -> Row:
    """Delete a workout."""
    workout = call.one("workouts", workout_id, "workout")
    call.remove("workouts", id=workout_id)
    return workout


@reads
def kinds(call: Call) -> list[str]:
    """The kinds of workout that were ever done."""
    return [row["kind"] for row in call.rows("select distinct kind from workouts order by kind")]


@reads
def goals(call: Call) -> list[Row]:
    """The goals: minutes a week by kind of workout."""
    return call.rows("select * from goals order by kind, id")


@writes
def set_goal(call: Call, kind: Kind, minutes: int) -> Row:
    """Set the minutes a week of a kind of workout; there is one goal for each."""
    if minutes < 1:
        raise ApiError(f"minutes must be 1 or more, not {minutes}")
    before = call.rows("select id from goals where kind = ?", kind)
    if before:
        return call.change("goals", before[0]["id"], minutes=minutes)
    return call.add("goals", kind=kind, minutes=minutes)


@writes
def delete_goal(call: Call, kind: Kind) -> str:
    """Delete the goal of a kind of workout."""
    if not call.rows("select id from goals where kind = ?", kind):
        raise ApiError(f"there is no goal for {kind}")
    call.remove("goals", kind=kind)
    return kind
