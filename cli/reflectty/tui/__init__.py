"""The chat: widgets, screens, and the application that puts them together."""
