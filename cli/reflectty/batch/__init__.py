"""Answers the lines of a file on one or more servers."""
