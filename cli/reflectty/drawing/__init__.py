"""Turns the parts of a reply into rows of styled text, the same on every screen; writes nothing, knows no widget."""
