"""The embedded server: its flags, its start and its end."""
