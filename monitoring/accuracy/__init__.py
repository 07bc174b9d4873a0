"""How often the served model is right: foretold without labels, and counted where labels come."""
