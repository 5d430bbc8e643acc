"""`reflect chat --inline`: a chat line by line, in the terminal's own scrollback."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any

from reflectty import config
from reflectty.commands.ask import run_ask
from reflectty.config.schema import parse_samples
from reflectty.core.errors import ReflecttyError, StoppedError, UsageError, did_you_mean
from reflectty.core.messages import Effort
from reflectty.core.safety import clean
from reflectty.output import write_remark
from reflectty.reasoning.modes import Mode

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from reflectty.commands.ask_options import AskArguments
    from reflectty.system.terminal import Terminal

NO_TERMINAL = "a chat line by line needs a terminal"
QUOTES = '"""'
"""Begins and ends a question of several lines, as in `ollama run`."""
RECALLED = 200
"""Questions of earlier sessions that the up key recalls."""
_HANGUP = 129
ENDS = ("/bye", "/quit", "/exit")
COMMANDS = {
    "/new": "begin another session",
    "/model": "NAME: ask another model",
    "/mode": f"{'|'.join(Mode)}: how the model is made to reflect",
    "/effort": f"{'|'.join(Effort)}: how much it thinks",
    "/budget": "N, TIME or off: where its thinking ends",
    "/samples": "N: how many replies vote on the answer; 1 asks once",
    "/verify": "on or off: whether a reply is checked and revised",
    "/system": "TEXT: the system prompt",
    "/help": "list these commands",
    "/bye": "end the chat, as ctrl+d does",
}


def _budget_of(value: str) -> dict[str, Any]:
    from reflectty.core.budget import parse_budget

    parse_budget(value, "/budget")
    return {"budget": value}


def _samples_of(value: str) -> dict[str, Any]:
    return {"samples": parse_samples(int(value), "/samples"), "verify": False}


def _verify_of(value: str) -> dict[str, Any]:
    is_on = _SWITCH[value]
    return {"samples": None if is_on else 1, "verify": is_on}


_SWITCH = {"on": True, "off": False}
_CHANGES: dict[str, Callable[[str], dict[str, Any]]] = {
    "/mode": lambda value: {"mode": Mode(value)},
    "/effort": lambda value: {"effort": Effort(value)},
    "/model": lambda value: {"model": value},
    "/system": lambda value: {"system": value},
    "/budget": _budget_of,
    "/samples": _samples_of,
    "/verify": _verify_of,
}
"""The arguments that a command changes, by its value; a wrong one is a UsageError, ValueError or KeyError."""


def run_inline(arguments: AskArguments, terminal: Terminal) -> None:
    """Read questions from the terminal and ask them in one session, until the input ends.

    Raises:
        UsageError: there is no terminal, or the arguments contradict each other.
        StoppedError: the terminal has gone.
    """
    if not (terminal.stdin_tty and terminal.out.tty):
        raise UsageError(NO_TERMINAL, 'ask a question instead: reflect "why is the sky blue?"')
    InlineChat(arguments._replace(inline=False), terminal, make_line_reader()).run()


class InlineChat:
    """One chat: the arguments of its next question, and the lines that are typed.

    Args:
        arguments: how questions are asked; a prompt among them is the first question.
        terminal: where they are asked.
        read_line: reads a line after a prompt.
    """

    def __init__(self, arguments: AskArguments, terminal: Terminal, read_line: Callable[[str], str]) -> None:
        self._arguments = arguments
        self._terminal = terminal
        self._read_line = read_line
        self._sign = "▌ " if terminal.out.unicode else "> "

    def run(self) -> None:
        """Ask until the input ends or a command ends it."""
        if self._arguments.prompt:
            first, self._arguments = self._arguments, self._arguments._replace(prompt=None)
            self._ask(first)
        while (text := self._read_question()) not in (None, *ENDS):
            if text and text.startswith("/") and "\n" not in text:
                self._run_command(text)
            elif text:
                # A second word keeps a question that begins with @ from being the name of a file.
                self._ask(self._arguments._replace(prompt=[text, ""] if text.startswith("@") else [text]))

    def _read_question(self) -> str | None:
        """A question, perhaps of several lines; empty after ctrl+c, None at the end of the input."""
        try:
            text = self._read_line(self._sign).strip()
            if text.startswith(QUOTES):
                lines = [text.removeprefix(QUOTES)]
                while not lines[-1].rstrip().endswith(QUOTES):
                    lines.append(self._read_line("… " if self._terminal.out.unicode else ". "))
                text = "\n".join(lines).rstrip().removesuffix(QUOTES).strip()
        except EOFError:
            self._terminal.out.write("\n")
            return None
        except KeyboardInterrupt:
            self._terminal.out.write("\n")
            self._note("ctrl+d or /bye ends the chat")
            return ""
        return text

    def _ask(self, arguments: AskArguments) -> None:
        """Ask a question and stay in its session; a failure is one line."""
        self._terminal.out.write("\n")
        try:
            run_ask(arguments, self._terminal, self._stay_in)
        except StoppedError as error:
            if error.exit_code == _HANGUP:
                raise
        except ReflecttyError as error:
            self._note(error.with_hint)
        self._terminal.out.write("\n")

    def _stay_in(self, session: str) -> None:
        if session:
            self._arguments = self._arguments._replace(session=session, go_on=False)

    def _run_command(self, text: str) -> None:
        name, _, value = text.partition(" ")
        try:
            self._change(name, value.strip())
        except (UsageError, ValueError, KeyError) as error:
            self._note(error.with_hint if isinstance(error, UsageError) else f"{name} does not know {value.strip()!r}")

    def _change(self, name: str, value: str) -> None:
        """Change how questions are asked from here on.

        Raises:
            UsageError: the command is unknown, or its value is wrong.
            ValueError, KeyError: its value is none of its choices.
        """
        match name:
            case "/new" | "/clear":
                self._arguments = self._arguments._replace(session="", go_on=False)
                self._note("a new session begins with the next question")
            case "/help" | "/?":
                for command, about in COMMANDS.items():
                    self._note(f"{command} {about}")
            case _ if name in _CHANGES:
                self._arguments = self._arguments._replace(**_CHANGES[name](value))
            case _:
                raise UsageError(f"unknown command {name}", did_you_mean(name, COMMANDS) or "/help lists them")

    def _note(self, text: str) -> None:
        write_remark(self._terminal, text)


def make_line_reader() -> Callable[[str], str]:
    """A reader with line editing, the questions of earlier sessions, and completion of commands."""
    import readline

    for question in recallable(_recent_questions()):
        readline.add_history(question)
    readline.set_completer_delims(" ")
    readline.set_completer(complete_command)
    readline.parse_and_bind("tab: complete")
    return input


def recallable(questions: Sequence[str]) -> list[str]:
    """The questions, oldest first and each on one line, that a terminal shows as they are.

    readline draws what it recalls by itself, so stored text with control or invisible characters is left out.
    """
    lines = [" ".join(question.split()) for question in reversed(questions)]
    return [line for line in lines if line and clean(line) == line]


def complete_command(text: str, state: int) -> str | None:
    """The command number `state` that begins with a text; None if there are no more."""
    found = [command for command in COMMANDS if command.startswith(text)] if text.startswith("/") else []
    return found[state] if state < len(found) else None


def _recent_questions() -> Sequence[str]:
    from reflectty.store import open_saved

    path = config.store_path()
    with contextlib.suppress(ReflecttyError):
        if path.exists():
            store = open_saved(path, lambda _: None)
            try:
                return store.questions(RECALLED)
            finally:
                store.close()
    return ()
