"""Text that would break out of its place in a document if it could, and conversations that have it everywhere."""

from __future__ import annotations

import re

from hypothesis import strategies as st

from reflectty.core.session import Attachment, ReplyStatus, Session, SessionSettings, Turn
from support.conversations import REFLECTION, THINKING, plain_reply, stored_reply

CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]")
PIECES = [
    *"ab1 \n\n\n\t`*_~#>|![]()-+=\\:.",
    *(
        "<b>",
        "</b>",
        "<b",
        ">",
        "<!--",
        "</details>",
        "</pre>",
        "<?",
        "<![CDATA[",
        "<script>",
        "<https://x.example/",
        "<a@b.c>",
    ),
    *(
        "```",
        "~~~",
        "``",
        "    ",
        "> ",
        "- ",
        "1. ",
        "| a |",
        "|---|",
        "\n|---|---|\n",
        "[a]: /b",
        "[^1]:",
        "![",
        "](x)",
        "&lt;",
    ),
]
MARKUP = st.lists(st.sampled_from(PIECES), max_size=40).map("".join)
OPEN = (
    "```\nnever closed",
    "~~~~ py\nx",
    "> ```\nq",
    "- ```\n  item",
    "<details><summary>x",
    "<!-- hidden",
    "<script>alert(1)</script>",
    "</details></blockquote></div>",
    "`<b>` and \\`<b>\\` and ``a`<i>``",
    "| ` | <b> ` |\n|---|---|\n| ` | <i> ` |",
    "[ref]: https://evil.example/\n\n[ref]",
    "[^1]: note\n\n    <b>",
    "![pixel](https://evil.example/p.png)",
    "[![x](https://evil.example/p.png)](https://evil.example)",
    "    <b>code</b>",
    "text\n===",
    "* a\n\n\n* b\n-\n",
    "<https://ok.example/`>` <b>`",
    "a\\",
    "`\n<!--`",
    "`\n</details>`",
    "```\n    ",
)


def turns_with(text: str) -> tuple[Turn, ...]:
    """A conversation with a text in every place, and a harmless question after it."""
    reply = stored_reply(
        text,
        ((THINKING, text), (REFLECTION, text)),
        ended=ReplyStatus.INCOMPLETE,
        model=text,
        error=text,
        warnings=(f"{text} ",),
    )
    return (
        Turn(1, None, 0.0, text, (Attachment(text, "file", text), Attachment(text, "image", text))),
        Turn(2, 1, 0.0, said=reply),
        Turn(3, 2, 0.0, "An innocent question about [ref] and [^1]"),
        Turn(4, 3, 0.0, said=plain_reply("An innocent answer.")),
    )


def session_with(text: str) -> Session:
    return Session("k3f9x2", text, 0.0, 0.0, text, 4, 2, SessionSettings(text, system=text))
