"""The composer, where the user writes a question."""
