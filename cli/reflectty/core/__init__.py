"""Values that every layer shares: messages, sessions, options, errors and safe text."""
