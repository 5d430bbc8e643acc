"""The worked replies in the training data of the built-in model: every step is true."""

from __future__ import annotations

import json
import re
from fractions import Fraction
from random import Random
from typing import TYPE_CHECKING

import pytest

from mini.example import Example, Piece, parts, prompt, reply
from mini.generate import HELD_KINDS, REASONED, examples, held_example, held_out, line
from mini.letters_order import NEVER
from mini.talk_words import held, rows

if TYPE_CHECKING:
    from collections.abc import Iterator

SUM = re.compile(r"(?<![\d.%$])(-?\d+(?: [-+×/] -?\d+)+) = (-?\d+(?:\.\d+)?)(?!\d)(?:, (?:rest|remainder) (\d+))?")
SIGNS = str.maketrans({"×": "*", "÷": "/", ":": "/"})
MANY = 400


def made(kind: str, count: int = MANY) -> Iterator[Example]:
    rng = Random(kind)
    return (REASONED[kind][0](rng) for _ in range(count))


def learnt(example: Example) -> str:
    return "".join(piece.text for piece in reply(example) if piece.learnt)


def calculated(text: str) -> Fraction:
    """The value of a sum of whole numbers, calculated apart from the code that made it."""
    numbers = [Fraction(number) for number in re.findall(r"(?<!\d)-?\d+(?= |$)", text)]
    signs = re.findall(r" ([-+×/]) ", text)
    terms = [numbers[0]]
    for sign, number in zip(signs, numbers[1:], strict=True):
        if sign == "×":
            terms[-1] *= number
        elif sign == "/":
            terms[-1] /= number
        else:
            terms.append(number if sign == "+" else -number)
    return sum(terms, Fraction(0))


@pytest.mark.parametrize("kind", REASONED)
def test_every_calculation_in_learnt_text_is_correct(kind: str) -> None:
    for example in made(kind):
        for written, result, rest in SUM.findall(learnt(example)):
            told = Fraction(result)
            if rest and " / " in written:
                told += Fraction(int(rest), int(written.split(" / ")[1]))
            assert calculated(written) == told, (example.question, written, result)


@pytest.mark.parametrize("kind", REASONED)
def test_every_answer_contains_its_target_and_no_blank_line_is_learnt(kind: str) -> None:
    for example in made(kind):
        assert example.target
        assert example.target in example.answer
        assert "\n\n" not in learnt(example)
        assert example.question.strip() == example.question


@pytest.mark.parametrize("kind", REASONED)
def test_mistakes_are_never_learnt_and_always_corrected_in_a_reflection(kind: str) -> None:
    for example in made(kind):
        pieces = example.thinking
        for index, piece in enumerate(pieces):
            if piece.learnt:
                continue
            after = pieces[index + 1].text
            assert after.startswith("<reflection>\n")
            assert after.endswith("\n</reflection>\n")
            assert len(after.splitlines()) >= 4
            assert piece.text.strip() not in after


@pytest.mark.parametrize(
    "kind", ["counting", "length", "backwards", "mirrored", "several_sums", "addition", "multiplication", "problem"]
)
def test_a_share_of_the_replies_contains_mistakes(kind: str) -> None:
    slips = sum(any(not piece.learnt for piece in example.thinking) for example in made(kind))
    assert MANY * 0.2 < slips < MANY * 0.6


def test_letter_counts_match_python() -> None:
    for example in made("counting"):
        named = re.search(r"appears? .* in (\w+): \d+|does not appear in (\w+): 0", example.answer)
        letter = re.search(r"The letter (\w)", example.answer)
        assert named
        assert letter
        assert str((named[1] or named[2]).count(letter[1])) == example.target


def test_reversed_target_appears_in_the_question() -> None:
    for example in (*made("backwards"), *made("mirrored")):
        assert example.target[::-1] in example.question


def test_each_word_of_a_list_is_reversed_spelled_or_counted() -> None:
    for example in made("several_turned"):
        assert [word[::-1] for word in example.target.split(", ")] == example.question.rpartition(": ")[2].split(", ")
    for example in made("several_spelled"):
        assert all(
            row.replace(" ", "").split(":")[0] * 2 == re.sub("[ :]", "", row) for row in example.target.split("\n")
        )
    for example in made("several_numbered"):
        words = example.question.rpartition(": ")[2].removesuffix("?").split(", ")
        assert [str(len(word)) for word in words] == example.target.split(", ")


def test_answer_names_the_largest_or_smallest_of_each_list() -> None:
    for example in made("several_lists"):
        best = max if "largest" in example.question else min
        lists = example.question.partition(": ")[2].removesuffix("?").split("; ")
        assert [str(best(map(int, each.split(", ")))) for each in lists] == example.target.split(", ")


def test_held_out_questions_are_not_part_of_multi_question_examples() -> None:
    for example in made("several_facts"):
        asked = re.split(r"(?:^|\s)\d\. ", example.question)[1:]
        assert len(asked) == len(example.answer.splitlines())
        assert not any(held(question) for question in asked)


def test_famous_opening_sentence_is_held_out_for_evaluation() -> None:
    texts = [name for name, _ in rows("openings.txt")]
    asked = {name for example in made("opening") for name in texts if f" {name} " in example.question.replace(".", " ")}
    assert NEVER in texts
    assert NEVER not in asked
    assert len(asked) > 20


def test_separated_words_are_split_by_letter_with_the_leading_space() -> None:
    assert parts("cat: c a t, so tac.", ("tac",)) == ["cat: c a t, so", " t", "a", "c", "."]
    assert parts("tac", ("tac",)) == ["t", "a", "c"]
    assert parts("stack of fo", ("fo", "tac")) == ["stack of", " f", "o"]
    assert parts(".emit fo", ("fo", ".emit")) == [".", "e", "m", "i", "t", " f", "o"]
    assert parts("nothing here", ()) == ["nothing here"]


@pytest.mark.parametrize("kind", ["backwards", "mirrored", "opening", "several_turned"])
def test_reversed_words_are_split_by_letter_throughout_the_reply(kind: str) -> None:
    for example in made(kind):
        text = learnt(example)
        cut = parts(text, example.apart)
        assert "".join(cut) == text
        assert not any(len(word) > 2 and word in part.split() for word in example.apart for part in cut)


def test_decimal_comparisons_match_python() -> None:
    for example in made("decimals"):
        numbers = [float(number) for number in re.findall(r"\d+\.\d+", example.question)]
        best = max(numbers) if "larger" in example.answer else min(numbers)
        assert float(example.target) == best


def test_first_guess_is_confirmed_or_corrected_before_the_answer() -> None:
    hasty = [example for example in made("decimals") if "<reflection>" in learnt(example)]
    assert len(hasty) > MANY / 4
    for example in hasty:
        guess = re.search(r", so (?P<one>[\d.]+) (?:is|may be) larger\.\n<reflection>", learnt(example))
        if guess is None:
            continue
        one = guess["one"]
        numbers = re.findall(r"\d+\.\d+", example.question)
        right = max(numbers, key=float) == one
        assert (f"{one} is larger, as I said." in learnt(example)) == right
        assert (f"not {one}." in learnt(example)) != right


@pytest.mark.parametrize(("kind", "sign"), [("addition", "+"), ("subtraction", "-"), ("multiplication", "×")])
def test_arithmetic_results_match_python(kind: str, sign: str) -> None:
    for example in made(kind):
        written, result = example.answer.split(" = ")
        assert sign in written
        assert eval(written.translate(SIGNS)) == int(result) == int(example.target)  # noqa: S307 - digits and signs


def test_ordering_answers_are_sorted() -> None:
    for example in made("ordering"):
        numbers = [int(number) for number in example.target.split(", ")]
        assert numbers in (sorted(numbers), sorted(numbers, reverse=True))
        assert sorted(numbers) == sorted(int(number) for number in re.findall(r"\d+", example.question))


def test_training_and_evaluation_share_no_question() -> None:
    trained = {(example.question, example.earlier) for example in examples(Random(5), 3000)}
    rng = Random(5)
    asked = {(example.question, example.earlier) for example in (held_example(kind, rng) for kind in HELD_KINDS * 10)}
    assert len(asked) > 200
    assert not asked & trained


def test_held_out_decision_ignores_case_spacing_and_punctuation() -> None:
    one = Example("addition", "What is 12 + 30?", (), "42", "42")
    assert held_out(one) == held_out(one._replace(question="what is 12+30"))


def test_the_same_seed_makes_the_same_file() -> None:
    first, second = ([line(example) for example in examples(Random(3), 200)] for _ in range(2))
    assert first == second
    assert len(set(first)) == len(first)


def test_prompt_ends_with_an_open_model_turn_after_earlier_turns() -> None:
    example = Example("facts", "And of Italy?", (), "Rome.", "Rome", (("Capital of France?", "Paris."),), "Be brief.")
    assert prompt(example) == (
        "<start_of_turn>user\nBe brief.\n\nCapital of France?<end_of_turn>\n<start_of_turn>model\nParis.<end_of_turn>\n"
        "<start_of_turn>user\nAnd of Italy?<end_of_turn>\n<start_of_turn>model\n"
    )


def test_line_separates_learnt_and_unlearnt_pieces() -> None:
    thinking = (Piece("One.\n"), Piece("Two.\n"), Piece("Wrong.\n", learnt=False), Piece("Three.\n"))
    told = json.loads(line(Example("facts", "Q?", thinking, "Yes.", "Yes")))
    assert told["pieces"] == [
        ["<thinking>\nOne.\nTwo.\n", True],
        ["Wrong.\n", False],
        ["Three.\n</thinking>\n<output>\nYes.\n</output>", True],
    ]
