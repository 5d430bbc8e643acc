"""The screen with the tree of a session: filters, folds, opens, forks, labels and deletes its branches."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Literal, Protocol

from textual.binding import Binding
from textual.content import Content
from textual.widgets import Static

from reflectty.core.errors import ReflecttyError
from reflectty.core.named_tuple import NamedTuple
from reflectty.core.safety import clean_line
from reflectty.core.text import format_count
from reflectty.tui.screens.list_screen import ListScreen
from reflectty.tui.widgets.field import Field
from reflectty.tui.widgets.list import ListEntry, Listing, truncate
from reflectty.view.rows import ASCII_GLYPHS, Glyphs, cell_width
from reflectty.view.summary import SummaryFact, fit_facts
from reflectty.view.tree import TreeNode, tree_nodes
from reflectty.view.units import format_age

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from textual.binding import BindingType

    from reflectty.core.session import Turn
    from reflectty.tui.widgets.list import RowPainter
    from reflectty.view.rows import Row

HINTS = "enter open · ← → fold · ctrl+l label · ctrl+f fork · ctrl+x delete · esc back"
_MIN_TEXT_WIDTH = 20
"""Columns of text below which figures and time are left out."""


class TreeChoice(NamedTuple):
    """What the user wants of a turn."""

    action: Literal["open", "fork"]
    turn: int


class TreeBackend(Protocol):
    """Provides the turns of the session and changes them."""

    def load(self) -> tuple[Sequence[Turn], int | None]:
        """The turns, and the last one of the branch on the screen."""
        ...

    def set_label(self, turn: int, label: str) -> None:
        """Name a turn.

        Raises:
            ReflecttyError: the name could not be stored.
        """
        ...

    def remove(self, turn: int) -> None:
        """Remove a turn with everything below it.

        Raises:
            ReflecttyError: it could not be removed.
        """
        ...


@dataclass(frozen=True, slots=True)
class TreeRow(ListEntry):
    """A turn as a row: the lines of its branch, its name, what it is, its text, and its figures at the right edge."""

    node: TreeNode
    glyphs: Glyphs
    now: float

    @property
    def is_current(self) -> bool:
        return self.node.is_on_path

    def height(self, width: int) -> int:  # noqa: ARG002 - the same at any; a list may hold thousands
        return 1

    def rows(self, painter: RowPainter) -> list[Row]:
        node, dot = self.node, f" {self.glyphs.dot} "
        row: Row = [painter.run(node.guide(self.glyphs), "faint")]
        if node.turn.said is not None:
            row.append(painter.run("  "))
        if node.is_folded:
            row.append(painter.run(f"{self.glyphs.collapsed} ", "accent"))
        if node.label:
            row.append(painter.run(f"[{truncate(node.label, 30, self.glyphs.more)}] ", "accent"))
        if node.remarks:
            mark = f"{self.glyphs.steered} " if node.kind in {"steered", "concluded"} else ""
            row.append(painter.run(mark + ", ".join(node.remarks) + dot, "dim"))
        room = painter.width - sum(cell_width(text) for text, _ in row)
        right = self._right_of(painter, room - min(cell_width(node.text), _MIN_TEXT_WIDTH) - 2)
        room = max(1, room - sum(cell_width(text) for text, _ in right))
        question, other = ("you", "text") if node.is_on_path else ("text", "dim")
        role = other if node.turn.said else question
        row.append(painter.cell(node.text, room, painter.style_of(role)))
        return [[*row, *right]]

    def _right_of(self, painter: RowPainter, room: int) -> Row:
        """The figures of a reply, or how much is folded, and the time, as far as there is room."""
        dot, node = f" {self.glyphs.dot} ", self.node
        time_fact = SummaryFact(format_age(node.turn.created, self.now), -1)
        folded = (SummaryFact(f"{format_count(node.below, 'turn')} below", 0),)
        row: Row = []
        for fact in fit_facts((*(folded if node.is_folded else node.facts), time_fact), room, len(dot)):
            row.append(painter.run(dot if row else "  ", "faint"))
            row.append(painter.run(fact.text, "correction" if fact.strong else "faint"))
        return row if sum(cell_width(text) for text, _ in row) <= room + 2 else []


class TreeScreen(ListScreen[TreeChoice | None]):
    """The tree of a session; typing filters it."""

    DEFAULT_CSS = """
    TreeScreen, TreeScreen:ansi {
        & .list-title { max-width: 60%; }
        & .list-note { height: 1fr; }
    }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("left", "fold", priority=True),
        Binding("right", "unfold", priority=True),
        Binding("ctrl+l", "label", priority=True),
        Binding("ctrl+f", "fork", priority=True),
        Binding("ctrl+x", "remove", priority=True),
        Binding("delete", "remove(True)", priority=True),
    ]

    def __init__(self, title: str, backend: TreeBackend, keys: Sequence[str] = (), *, unicode: bool = True) -> None:
        arrows = HINTS if unicode else HINTS.replace("← →", "left right")
        super().__init__(clean_line(title, 200), arrows, unicode=unicode)
        self._backend = backend
        self._row_glyphs = Glyphs() if unicode else ASCII_GLYPHS
        self._turns: Sequence[Turn] = ()
        self._leaf: int | None = None
        self._folded: set[int] = set()
        self._texts: dict[int, str] = {}
        """What the filter searches of each turn."""
        for key in keys:
            self._bindings.bind(key, "dismiss", show=False, priority=True)

    def on_mount(self) -> None:
        self._reload(None)

    def _reload(self, chosen: int | None) -> None:
        """Show the turns anew, and choose one or else the end of the branch on the screen."""
        self._turns, self._leaf = self._backend.load()
        self._texts.clear()
        self._show(self._leaf if chosen is None else chosen)

    def fill_list(self) -> None:
        self._show(self._leaf)

    def _show(self, chosen: int | None) -> None:
        words = self.filter_text.lower().split()
        nodes = tree_nodes(self._turns, self._leaf, () if words else self._folded)
        if words:
            found = [node for node in nodes if self._has_words(node, words)]
            nodes = [node._replace(depth=0, begins_branch=False) for node in found]
        now = time.time()
        at = next((at for at, node in enumerate(nodes) if node.turn.id == chosen), None)
        self.show_entries([TreeRow(node, self._row_glyphs, now) for node in nodes], at)

    def _has_words(self, node: TreeNode, words: Sequence[str]) -> bool:
        turn = node.turn
        if turn.id not in self._texts:
            said = turn.said
            texts = (turn.text, turn.label, *node.remarks, said.answer if said else "")
            self._texts[turn.id] = "\n".join((*texts, said.raw_thinking if said else "")).lower()
        return all(word in self._texts[turn.id] for word in words)

    @property
    def _node(self) -> TreeNode | None:
        entry = self.listing.entry
        return entry.node if isinstance(entry, TreeRow) else None

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Leave the arrows and `delete` to the filter while it has text for them."""
        if action in {"fold", "unfold"}:
            return not self.filter_text
        return action != "remove" or not parameters or self.query_one(Field).cursor_at_end

    def on_listing_picked(self, event: Listing.Picked) -> None:
        event.stop()
        self.action_accept()

    def action_accept(self) -> None:
        if self._node is not None:
            self.dismiss(TreeChoice("open", self._node.turn.id))

    def action_fork(self) -> None:
        if self._node is not None:
            self.dismiss(TreeChoice("fork", self._node.turn.id))

    def action_back(self) -> None:
        if self.filter_text:
            self.query_one(Field).value = ""
        else:
            self.dismiss()

    def action_fold(self) -> None:
        """Fold what is below a turn, or go to the turn above that a folded or last one belongs to."""
        node = self._node
        if node is None:
            return
        if node.below and not node.is_folded:
            self._folded.add(node.turn.id)
            self._show(node.turn.id)
        elif node.turn.parent is not None:
            self._show(node.turn.parent)

    def action_unfold(self) -> None:
        if self._node is not None:
            self._folded.discard(self._node.turn.id)
            self._show(self._node.turn.id)

    def action_label(self) -> None:
        node = self._node
        if node is None:
            return

        def named(label: str | None) -> None:
            if label is not None:
                self._try(lambda: self._backend.set_label(node.turn.id, label), node.turn.id)

        from reflectty.tui.screens.dialogs import LinePrompt

        prompt = LinePrompt("Label", node.label, placeholder="empty removes it", unicode=self._is_unicode)
        self.app.push_screen(prompt, named)

    def action_remove(self, deleting: bool = False) -> None:  # noqa: ARG002 - which key it was
        node = self._node
        if node is None:
            return

        def answered(yes: bool | None) -> None:
            if yes:
                self._try(lambda: self._backend.remove(node.turn.id), node.turn.parent)

        from reflectty.tui.screens.dialogs import Confirm

        question = removal_question(node, len(self._turns))
        self.app.push_screen(Confirm(question, "delete", "keep", unicode=self._is_unicode), answered)

    @property
    def _is_unicode(self) -> bool:
        return self._row_glyphs == Glyphs()

    def _try(self, change: Callable[[], None], chosen: int | None) -> None:
        """Change the tree and show it anew; an error takes the place of the hints."""
        text = self._hints
        try:
            change()
        except ReflecttyError as error:
            text = f"! {clean_line(error.with_hint)}"
        self.query_one(".list-hints", Static).update(Content(text))
        self._reload(chosen)
        if not self._turns:
            self.dismiss()


def removal_question(node: TreeNode, count: int) -> str:
    """The question before a turn is deleted, which says what goes with it.

    Args:
        node: the turn.
        count: the number of turns of the session.
    """
    if node.below + 1 == count:
        return f"Delete the whole session? It has no other branch: all {format_count(count, 'turn')} go."
    what = "reply" if node.turn.said else "question"
    below = f" and {format_count(node.below, 'turn')} below it" if node.below else ""
    shown = " This is the branch on the screen." if node.is_on_path else ""
    return f"Delete this {what}{below}?{shown}"
