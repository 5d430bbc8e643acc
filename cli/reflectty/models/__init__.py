"""Model management: installed models, downloads, memory fit and repair."""
