"""What draws a reply; the only package that imports rich."""
