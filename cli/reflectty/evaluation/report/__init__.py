"""Reports of a run: as a table, Markdown, CSV, JSON and one HTML page."""
