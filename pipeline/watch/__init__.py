"""`graft monitor` and `graft labels`: what is seen of the served model, and what is known later."""
