"""The parts of a transcript: each turns what was said into rows; none of them is a widget."""
