"""Searches texts for a pattern, as a process of its own, which can be ended whatever it does.

Python's `re` tries every way to part a text: `(a+)+b` takes longer than a life for fifty letters,
and its caller cannot take its time back. Read from standard input: JSON of the pattern and the
texts; written: JSON of what `user_pattern.found_in` returns.
"""

import json
import re
import sys


def search(pattern: str, texts: list[str]) -> list[str]:
    """What the first bracket matches in each text, or the whole pattern where it has no bracket.

    Args:
        pattern: a regular expression.
        texts: to be searched.

    Returns:
        One for each text; empty where nothing matches.
    """
    compiled = re.compile(pattern)
    bracket = min(compiled.groups, 1)
    return [(match[bracket] or "") if match else "" for match in map(compiled.search, texts)]


if __name__ == "__main__":
    json.dump(search(*json.load(sys.stdin)), sys.stdout)
