"""Watching a served model: from the request log to what moved, how sure, and what to do."""
