"""Reading and steering of models' thinking: families of tags, the parser of replies, modes and continuations."""
