"""Reads and steers models' thinking: tag families, the parser of replies, modes and continuations."""
