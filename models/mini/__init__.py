"""The recipe of the built-in model: questions with worked replies, training, export and evaluation."""
