"""Access to the machine: terminal streams, signals, editor, packaged files, themes and other programs."""
