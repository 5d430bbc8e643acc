"""Questions made by chance from a seed: without a licence, without end, and in no model's training data."""
