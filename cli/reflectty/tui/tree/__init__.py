"""The tree of a session's branches."""
