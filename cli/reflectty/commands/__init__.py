"""One file a command: arguments become values, values become one call; nothing is computed here."""
