"""Infers the schema of the data once; from then on the file belongs to the user."""
