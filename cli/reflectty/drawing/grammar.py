"""The Markdown that is drawn: GFM, in which sums, file names, formulas and the pipes of code stay as they were said."""

from __future__ import annotations

from markdown_it import MarkdownIt

from reflectty.drawing import emphasis, fences, formulas, pipes

NESTING = 60
"""How deep the parser follows nested lists and quotes."""


def gfm(*rules: str) -> MarkdownIt:
    """Return a parser that reads Markdown as GitHub and its like do, but no HTML and no definitions of links.

    `rules` names the steps to take; all of them when left out.
    """
    parser = MarkdownIt("commonmark", {"html": False, "maxNesting": NESTING}).enable(["table", "strikethrough"])
    parser.disable(["reference", "html_block", "html_inline"])
    if rules:
        parser.core.ruler.enableOnly(list(rules))
    return parser


def markdown(*rules: str) -> MarkdownIt:
    """Return a parser for what is shown, so that nothing disappears; `rules` as for `gfm`."""
    parser = gfm(*rules)
    emphasis.use(parser)
    pipes.use(parser)
    fences.use(parser)
    formulas.use(parser)
    return parser
