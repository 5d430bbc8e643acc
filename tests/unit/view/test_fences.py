from __future__ import annotations

import pytest

from reflectty.view.grammar import code_blocks
from support.drawn_markdown import drawn, growth, split

README = "```markdown\n# Title\n```python\nx = 1\n```\nmore\n```\n"


@pytest.mark.parametrize(
    ("source", "blocks"),
    [
        (f"{README}**after**", ["# Title\n```python\nx = 1\n```\nmore\n"]),
        ("```md\n```sh\na\n```\n```\nb", ["```sh\na\n```\n"]),
        ("```markdown\n```py\na\n```\n```py\nb\n```\n```\nc", ["```py\na\n```\n```py\nb\n```\n"]),
        ("~~~md\n~~~py\na\n~~~\n~~~\nb", ["~~~py\na\n~~~\n"]),
        ("```md\n````py\na\n````\n```\nb", ["````py\na\n````\n"]),
        ("```markdown\n```markdown\n```py\na\n```\n```\n```\nb", ["```markdown\n```py\na\n```\n```\n"]),
        ("1. ```md\n   ```py\n   a\n   ```\n   ```\n2. b", ["```py\na\n```\n"]),
        ("````markdown\n```py\na\n```\n````\nb", ["```py\na\n```\n"]),
        ("```markdown\n# T\n```\n```py\na\n```\nb", ["# T\n", "a\n"]),
        ("```text\n```py\na\n```\nb", ["```py\na\n"]),
        ("```markdown\n```py\na\n```\nb **c**", ["```py\na\n"]),
        ("```markdown\n~~~\n```py\na\n```\n```\n", ["~~~\n```py\na\n```\n"]),
        ("- a\n  ```py\n  b\n    c\n  ```\n", ["b\n  c\n"]),
        ("```py\nopen $x*y*z$ `a|b`", ["open $x*y*z$ `a|b`"]),
    ],
)
def test_fence_ends_where_it_was_meant_to(source: str, blocks: list[str]) -> None:
    assert list(code_blocks(source)) == blocks


def test_text_after_a_markdown_fence_is_not_code() -> None:
    assert drawn(f"{README}# After") == ["  # Title", "  ```python", "  x = 1", "  ```", "  more", "", "# After"]


def test_unclosed_fence_ends_as_in_commonmark() -> None:
    assert drawn("```markdown\n```py\na\n```\n# After") == ["  ```py", "  a", "", "# After"]


def test_nested_fence_is_one_block() -> None:
    assert split(*f"{README}after\n\n") == [README, "after\n", "\n"]


@pytest.mark.parametrize(
    "piece", ["```markdown\n", "```markdown\n```\n", "```markdown\n```py\n```\n", "```md\n~~~py\n", "- ```md\n"]
)
def test_many_unclosed_fences_stay_fast(piece: str) -> None:
    assert growth(lambda size: [split(piece * size), drawn(piece * size)], 150) < 24
