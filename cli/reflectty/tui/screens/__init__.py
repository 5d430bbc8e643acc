"""Screens above the chat; each returns a value."""
