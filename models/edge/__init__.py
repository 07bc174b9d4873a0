"""The classifier on phones and small boards: LiteRT models, and how well they do."""
