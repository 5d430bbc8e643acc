"""The panel of sessions."""
