from __future__ import annotations

import pytest

from reflectty.protocols import ollama


@pytest.mark.parametrize(
    ("prompt", "so_far", "expected"),
    [
        ("Q\nA: ", "<think>\nso", "Q\nA: <think>\nso"),
        ("Q\nA: <think>", "<think>\nso", "Q\nA: <think>\nso"),
        ("Q\nA: <think>\n", "<think>\nso", "Q\nA: <think>\nso"),
        ("Q\nA: <think>\n\n", "<think>so", "Q\nA: <think>\n\nso"),
        ("Q\nA: <think>\n", "so", "Q\nA: <think>\nso"),
        ("Q\nA: <think>\n", "<thinking>\nso", "Q\nA: <think>\n<thinking>\nso"),
        ("Q\nA: <thinking>\n", "<thinking>\nso", "Q\nA: <thinking>\nso"),
        ("Q\nA: <think>\n\n</think>\n\n", "so", "Q\nA: <think>\n\n</think>\n\nso"),
        ("Q\nA: <think>\n\n</think>\n\n", "<think>\nso", "Q\nA: <think>\nso"),
        ("Q\nA:</think>", "<think>\nso", "Q\nA:<think>\nso"),
        ("Q\nA:<think></think>", "<thinking>\nso", "Q\nA:<think></think><thinking>\nso"),
        ("A: <|channel>thought\n", "<|channel>thought\nso", "A: <|channel>thought\nso"),
        ("A: <|channel>", "<|channel>thought\nso", "A: <|channel>thought\nso"),
        ("A: <think:6124c78e>", "<think:6124c78e>\nso", "A: <think:6124c78e>\nso"),
        ("A: <think:opensource></think:opensource>", "<think:opensource>\nso", "A: <think:opensource>\nso"),
        ("A: <think:opensource>", "<think:6124c78e>\nso", "A: <think:opensource><think:6124c78e>\nso"),
        ("", "", ""),
    ],
)
def test_continued_reply_has_one_opener(prompt: str, so_far: str, expected: str) -> None:
    assert ollama.continue_prompt(prompt, so_far) == expected
