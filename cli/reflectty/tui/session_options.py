"""Asks as the session on the screen does: with its profile, on the server of that, and with what was set for it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reflectty.core.errors import ReflecttyError

if TYPE_CHECKING:
    from reflectty.tui.app import ChatProfile
    from reflectty.tui.controller import ChatController


class SessionOptions:
    """Applies profiles, and restores the settings of a session."""

    def __init__(self, controller: ChatController) -> None:
        self._controller = controller
        self._initial_config = controller.config
        self._initial_profile = controller.conversation.settings.profile
        """The profile named on the command line, with which the chat was opened."""
        self._server_profile = ""
        """The profile whose server is in use; empty for the chat's own server."""

    def restore(self) -> None:
        """Ask as the session on the screen does, or as the chat does if it is a new one."""
        conversation = self._controller.conversation
        name = conversation.settings.profile
        profiled = self._load_profile(name) if name and name != self._initial_profile else None
        self._switch_server(name, profiled)
        conversation.restore_settings(profiled.ask_options if profiled else None)

    def _load_profile(self, name: str) -> ChatProfile | None:
        try:
            return self._controller.config.load_profile(name)
        except ReflecttyError as error:
            self._controller.report_error(error)
            return None

    def use_profile(self, name: str) -> None:
        """Apply a profile to this session, and connect to the server that it names.

        A profile without a model keeps the model that answers without a profile; on another server, the best one
        there answers.

        Raises:
            ReflecttyError: there is no such profile, it is invalid, or the choice cannot be stored.
        """
        conversation = self._controller.conversation
        profiled = self._controller.config.load_profile(name)
        own_model = "" if profiled.open_engine else conversation.own_model
        ask_options = profiled.ask_options._replace(model=profiled.ask_options.model or own_model)
        try:
            conversation.use_profile(name, ask_options)
        finally:
            self._switch_server(name, profiled)

    def _switch_server(self, name: str, profiled: ChatProfile | None) -> None:
        """Connect to the server that a profile names, or to the chat's own one again."""
        controller, first = self._controller, self._initial_config
        there = profiled if profiled and profiled.open_engine else None
        wanted = name if there else ""
        if wanted == self._server_profile:
            return
        self._server_profile = wanted
        controller.config = controller.config._replace(
            host=there.host if there else first.host,
            open_engine=(there and there.open_engine) or first.open_engine,
            open_library=(there and there.open_library) or first.open_library,
        )
        # Before the first connection, that one opens the engine of this server.
        if controller.turns.engine_settled.is_set():
            controller.connect()
