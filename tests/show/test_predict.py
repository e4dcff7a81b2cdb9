"""Predictions: commit, then reveal; any order of cells gives a clear sentence."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from course_lib.show import Predict, predict


def _number() -> Predict:
    return predict("How many pass?", low=0, high=300, unit="requests")


def test_without_commitment_the_output_is_fixed() -> None:
    """Nobody committed: the measurement stands alone, the same each time."""
    said = {repr(_number().reveal(200)) for _ in range(3)}
    assert said == {"No prediction was committed. Measured: 200 requests."}


def test_prediction_stands_beside_the_truth() -> None:
    """Both numbers are shown, in words and on the line."""
    guess = _number()
    guess.commit(100)
    revealed = guess.reveal(200)
    said = "Predicted: 100 requests. Measured: 200 requests. It is 2 times more than you thought"
    assert repr(revealed).startswith(said)
    shown = revealed._repr_html_()
    assert "predicted 100" in shown
    assert "measured 200" in shown


def test_derived_truth_is_called_derived() -> None:
    """What a formula gave is not called measured, in words or on the line."""
    revealed = _number().reveal(200, "derived")
    assert repr(revealed) == "No prediction was committed. Derived: 200 requests."
    assert "derived 200" in revealed._repr_html_()
    assert "easured" not in revealed._repr_html_()


def test_a_commitment_is_locked() -> None:
    """A second answer is refused; so is one after the truth is out."""
    guess = _number()
    guess.commit(100)
    with pytest.raises(ValueError, match="locked"):
        guess.commit(200)
    late = _number()
    late.reveal(200)
    with pytest.raises(ValueError, match="locked"):
        late.commit(200)


def test_revealing_twice_says_the_same() -> None:
    """Running the second cell again changes nothing."""
    guess = _number()
    guess.commit(190)
    assert repr(guess.reveal(200)) == repr(guess.reveal(200))
    assert "Very close." in repr(guess.reveal(200))


def test_choices() -> None:
    """A choice is right or a surprise; another word than the choices is refused."""
    guess = predict("Which?", choices=["fixed window", "token bucket"])
    guess.commit("token bucket")
    assert "That is what you said." in repr(guess.reveal("token bucket"))
    assert "surprise" in repr(guess.reveal("fixed window"))
    with pytest.raises(ValueError, match="not one of the choices"):
        guess.reveal("leaky bucket")


def test_markup_is_shown_not_run() -> None:
    """A choice with markup in it is escaped in the output."""
    guess = predict("Which?", choices=["<b>a</b>", "c"])
    assert "<b>a" not in guess.reveal("<b>a</b>")._repr_html_()


@given(st.floats(0, 300), st.floats(-1000, 1000))
def test_any_pair_gets_a_sentence_and_a_line(guess: float, truth: float) -> None:
    """Whatever the two numbers are, each mark lies on the line and the words are one line."""
    asked = _number()
    asked.commit(guess)
    revealed = asked.reveal(truth)
    assert "\n" not in repr(revealed)
    shown = revealed._repr_html_()
    places = [float(part.split("%")[0]) for part in shown.split("left:")[1:] if "%" in part[:8]]
    assert len(places) == 2
    assert all(0 <= place <= 100 for place in places)


def test_out_of_range_and_no_number_are_said() -> None:
    """A number outside of the range, a word, or a range that is none: a sentence."""
    with pytest.raises(ValueError, match="between 0 and 300"):
        _number().commit(301)
    with pytest.raises(ValueError, match="is a number"):
        _number().commit("many")
    with pytest.raises(ValueError, match="low that is below its high"):
        predict("How many?", low=3, high=3)


def test_question_output_is_fixed() -> None:
    """text/plain is the question with its range or choices."""
    assert repr(_number()) == "How many pass? (0 to 300 requests)"
    assert repr(predict("Which?", choices=["a", "b"])) == "Which? (a, b)"
