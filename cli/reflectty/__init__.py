"""A terminal assistant for reflection models: thinking, corrections and answer, apart."""

__version__ = "0.1.0"
