"""Access to the machine: terminal streams, signals, editor, shipped files, themes and other programs."""
