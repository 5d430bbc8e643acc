from __future__ import annotations

import io
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reflectty.system import theme
from reflectty.system.terminal import Sink
from reflectty.view.blocks import Splitter
from reflectty.view.markdown import Flow, render_blocks
from reflectty.view.rows import cell_width, palette_for, text_of_row
from support.properties import examples

DOCUMENTS = {
    "paragraphs": "One\nstill one.\n\n\nTwo.\n",
    "headings": "# One\ntext\n## Two ##\nThree\n===\nFour\n---\n####\ntext",
    "tight list": "Before:\n- a\n- b\n  more of b\n- c\nlazy\n\nAfter",
    "loose list": "- a\n\n- b\n\n  second paragraph of b\n\n\n- c\n",
    "half loose list": "1. a\n2. b\n\n3. c\n4. d\n",
    "numbers": "7. seven\n8. eight\n9. nine\n10. ten\n    - inside ten\n11. eleven\n",
    "numbers all the same": "1. a\n1. b\n1. c\n",
    "nested lists": "1. a\n   - b\n     1. c\n     2. d\n\n   - e\n2. f\n   > quoted\n   > more\n3. g\n",
    "other marker": "- a\n- b\n* c\n+ d\n1. e\n2) f\n",
    "list after list": "- a\n\n\n1. b\n\n\n- c\n",
    "code in a list": "1. Run:\n   ```sh\n   # not a heading\n   - not an item\n   ```\n2. Then:\n\n       indented\n\n3. Done\n",
    "fence not indented in a list": "1. Run:\n```sh\nls\n```\n2. Then:\n```\n- x\n\n# y\n```\n",
    "fences": "a\n```python\ndef f():\n\n    # c\n    return 1\n```\nb\n~~~~\n```\n~~~\n~~~~\n",
    "open fence": "text\n\n```py\nx = 1\n\ny = 2",
    "fence with a long closer": "```\na\n`````\nb\n",
    "no fence": "``` a`b\ntext\n```\ncode\n",
    "indented code": "a\n\n    one\n\n\n    two\n\nb\n",
    "quotes": "> a\n> b\nlazy\n\n> c\n>\n> - d\n> - e\n- f\n> g\n2. h\n\n   i\n",
    "quote with a fence": "> ```\n> # a\n# b\n",
    "table": "Text\n\n| a | b |\n|---|--:|\n| 1 | 2 |\n| `|` | **x** |\n\nText | no table\n",
    "table behind text": "Text\n| a | b |\n|---|---|\n| 1 | 2 |\n2. x\n\n   y\n",
    "one column": "|a|\n---\nrow\n- x\n",
    "rules": "a\n\n---\n***\nb\n* * *\n- - -\n__\n",
    "html": "<output>\nHello!\n</output>\n\n<!-- hidden -->\n<details>\n\n<script>x</script> <b>y</b>\n",
    "references": "[a]: http://example.org\n[b]: http://example.net 'x'\nsee [a] and [b][a]\n",
    "marks": "**bold** *em* ~~gone~~ `code` \\*no\\* &amp; &lt;\nhard  \nbreak\\\nend\n",
    "links": "[a](http://x.org) <https://y.org> ![i](http://z.org/i.png) [e](ssh://x) [r](docs/x.md) <mailto:a@b.c>\n",
    "tabs": "-\ta\n-\tb\n\n\tc\n\n\tcode\n",
    "blank": "\n\n \n\t\n",
    "nothing": "",
    "deep": "> " * 70 + "deep\n\nafter\n",
    "empty items": "-\n- a\n-\n\n  b\n1.\n2. c\n",
    "formulas": "Text:\n\\[\nx\n=\n- b\n+ c\n\\]\nwhere $a$ is\n$$\ny\n\n- z\n$$\n\nend\n",
    "formulas in a list": "1. a:\n   $$\n   - x\n   $$\n2. b \\[\nx\n\\]\n3. \\[\n- x\n4. c\n",
    "formulas quoted": "> \\[\n> - x\n> \\]\n> > $$\n> x\n\n$$\n> y\n",
    "environment": "\\begin{align}\na &= b \\\\\n# c\n\n- d\n\\begin{align}\n\\end{align}\n\\end{align} x\ny\n",
    "open formula": "a\n\n$$\nx\n\n- y\n\n# h\n\n\\[ x = 1\n- y\n\n- z\n",
    "open environment": "\\begin{x}\n\n- a\n\n```\nb\n```\nc\n",
    "formula behind text": "so \\[\n- x\n\\] and \\[\n1. y\n\\]\nz\n- i \\[\n  - j\n  \\]\n",
    "setext or item": "a\n-\nb\n- \n",
    "wide": "你好\uff0c世界。这是一个很长的段落\uff0c没有任何空格\uff0c因此必须在任何地方断开。\n- 列表项目一\n- 列表项目二\n",
}
LINES = (
    "",
    "text",
    "more text",
    "- a",
    "- b",
    "  under",
    "    deep",
    "* c",
    "1. one",
    "2. two",
    "10) ten",
    "-",
    "1.",
    "# head",
    "## ",
    "---",
    "===",
    "***",
    "- - -",
    "> quote",
    ">",
    "> - item",
    "> ```",
    "```",
    "```py",
    "~~~",
    "   ```",
    "| a | b |",
    "|---|---|",
    "|a|",
    "a | b",
    "  - sub",
    "   - sub",
    "     1. x",
    "\tcode",
    "<div>",
    "[x]: /y",
    "--",
    "$$",
    "   $$",
    "\\[",
    "\\]",
    "text \\[",
    "\\[ x = 1",
    "- \\] y",
    "  \\]",
    "\\begin{a}",
    "\\end{a}",
    "> $$",
)


PALETTE = palette_for(theme.TERMINAL_THEME, Sink(io.StringIO(), tty=True, color_count=256), can_redraw=True)


def rendered(blocks: list[str], width: int = 60) -> list[str]:
    flow, rows = Flow(), []
    for block in blocks:
        drawn, flow = render_blocks(block, min(width, 98), width, PALETTE, flow)
        rows += drawn
    return [text_of_row(row).rstrip() for row in rows]


def split(*pieces: str) -> list[str]:
    splitter = Splitter()
    return [block for piece in pieces for block in splitter.feed(piece)] + splitter.close()


@pytest.mark.parametrize("name", DOCUMENTS)
def test_blocks_look_the_same_as_in_the_whole_document(name: str) -> None:
    document = DOCUMENTS[name]
    for width in (20, 60, 300):
        assert rendered(split(document), width) == rendered([document], width)


@examples(400)
@given(st.lists(st.sampled_from(LINES), max_size=14))
def test_any_lines_look_the_same_as_in_the_whole_document(lines: list[str]) -> None:
    document = "\n".join(lines)
    assert rendered(split(document)) == rendered([document])


@given(st.sampled_from(list(DOCUMENTS.values())), st.data())
def test_any_split_gives_the_same_blocks_and_loses_nothing(document: str, data: st.DataObject) -> None:
    cuts = sorted(data.draw(st.lists(st.integers(0, len(document)), max_size=12)))
    ends = [0, *cuts, len(document)]
    pieces = [document[start:end] for start, end in pairwise(ends)]
    assert split(*pieces) == split(*document) == split(document)
    assert "".join(split(document)) == document


@pytest.mark.parametrize(
    ("text", "complete"),
    [
        ("One.\n\n", 1),
        ("One.\n", 0),
        ("# One\n", 1),
        ("---\n", 1),
        ("```\na\n\n# b\n", 0),
        ("```\na\n```\n", 1),
        ("- a\n- b\n", 1),
        ("- a\n- b\n\nText", 1),
        ("- a\n- b\n\nText\n", 2),
        ("- a\n  - b\n  - c\n", 0),
        ("| a |\n|---|\n| 1 |\n\n", 1),
        ("> a\n\n", 1),
    ],
)
def test_a_block_is_complete_as_soon_as_nothing_can_change_it(text: str, complete: int) -> None:
    assert len(Splitter().feed(text)) == complete


def test_long_fence_is_not_parsed_repeatedly() -> None:
    code = "```python\n" + "# a comment\n\n- x\n" * 20_000
    assert split(code) == [code]


@pytest.mark.parametrize("line", ["2. x\n", "> a\nb\n", "a | b\n", "**a**\n", "``` a`\n", "    code\n\n"])
def test_long_block_is_split_without_loss(line: str) -> None:
    document = "text\n" + line * 5_000
    assert "".join(split(document)) == document


@pytest.mark.parametrize(
    ("source", "shown"),
    [
        ("<output>\nHello!\n</output>", ["<output>", "Hello!", "</output>"]),
        ("a <!-- b --> c", ["a <!-- b --> c"]),
        ("[a](http://x.org/y)", ["a (http://x.org/y)"]),
        ("[a](ssh://-oProxyCommand=id/)", ["[a](ssh://-oProxyCommand=id/)"]),
        ("[a](javascript:alert(1))", ["[a](javascript:alert(1))"]),
        ("<https://x.org>", ["https://x.org"]),
        ("<mailto:a@b.org>", ["mailto:a@b.org"]),
        ("![cat](https://x.org/cat.png)", ["cat (https://x.org/cat.png)"]),
        ("[a]: http://x.org", ["[a]: http://x.org"]),
        ("a &amp; b &lt;c&gt; &copy;", ["a & b <c> ©"]),
        ("a&#27;[31mb &#x202e;c &#x9b;1m", ["a\ufffd[31mb <U+202E>c \ufffd1m"]),
        ("<http://x.org/%1b%5b31m>", ["http://x.org/%1b%5b31m"]),
        ("1. a\n1. b", ["1. a", "2. b"]),
        ("- a\n\n- b", ["• a", "", "• b"]),
        ("```nosuchlanguage\nx\n```", ["  x"]),
        ("| a | b |\n|--:|---|\n| 1 | 2 |\n| 10 | x |", [" a   b", "──   ─", " 1   2", "10   x"]),
        ("> a\n\nb", ["▎ a", "", "b"]),
        ("a[^1]\n\n[^1]: b", ["a[^1]", "", "[^1]: b"]),
    ],
)
def test_markdown_is_rendered_as_expected(source: str, shown: list[str]) -> None:
    assert rendered([source]) == shown


def test_table_without_room_becomes_a_list_of_cells() -> None:
    columns = " | ".join(f"name{number}" for number in range(8))
    source = f"{columns}\n{'|'.join(['---'] * 8)}\n" + " | ".join(f"value {number}" for number in range(8))
    assert rendered([source], 30) == [f"name{number}: value {number}" for number in range(8)]


@pytest.mark.parametrize("width", [1, 2, 5, 17, 60, 297])
@pytest.mark.parametrize("name", DOCUMENTS)
def test_no_row_is_wider_than_the_screen(name: str, width: int) -> None:
    rows, _ = render_blocks(DOCUMENTS[name], min(width, 98), width, PALETTE, Flow())
    widest = max((cell_width(text_of_row(row)) for row in rows), default=0)
    assert widest <= max(width, 10)
