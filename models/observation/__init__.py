"""What a served model's answers are compared with, and how each answer is written down.

The server writes, the monitor reads; neither knows the other.
"""
