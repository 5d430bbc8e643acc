"""Asks a model a question, reads its reply and records it."""
