"""Answers are taken as a fair reader would take them, and no more freely."""

from __future__ import annotations

import pytest

from selfgym.envs.web.sites.answers import Number, Text


@pytest.mark.parametrize("given", ["Van rental", " van  RENTAL. ", "“Van rental”", "'Van rental'"])
def test_a_text_may_be_given_in_any_case_and_in_quotes(given: str) -> None:
    assert Text("Van rental").fits(given)


@pytest.mark.parametrize("given", ["", "Van", "Van rental and Plumber", "Plumber"])
def test_another_text_is_wrong(given: str) -> None:
    assert not Text("Van rental").fits(given)


@pytest.mark.parametrize(
    "given", ["1234.50", "1,234.50", "1.234,50", "1234,5", "€ 1,234.50", "-1234.5", "+1,234.50 EUR", "1234.50."]
)
def test_an_amount_may_be_written_as_anywhere(given: str) -> None:
    assert Number(1234.5, 0.01).fits(given)


@pytest.mark.parametrize("given", ["", "1234", "12345.0", "1234.50 or 1200", "none", "1,2345"])
def test_another_amount_is_wrong(given: str) -> None:
    assert not Number(1234.5, 0.01).fits(given)


@pytest.mark.parametrize(("value", "given"), [(3, "3"), (3, "Three"), (3, "3 topics"), (0, "none"), (1200, "1,200")])
def test_a_count_may_be_a_word(value: int, given: str) -> None:
    assert Number(value).fits(given)


def test_an_answer_prints_as_it_is_given() -> None:
    assert (str(Number(7)), str(Number(7.5, 0.01)), str(Text("a"))) == ("7", "7.50", "a")
