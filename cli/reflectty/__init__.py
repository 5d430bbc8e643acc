"""A terminal assistant for reflection models: thinking, corrections and answer, apart."""
