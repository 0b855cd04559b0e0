"""Learn from images without labels: a model labels them, and the next one learns from its confident boxes."""
