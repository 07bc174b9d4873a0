"""Nodes of the pipeline that others ask for by name, without TFX, which takes seconds to import."""

from typing import Final

BASELINE: Final = "Baseline"
"""The node that looks up the last blessed model."""
SEARCH: Final = "Tuner"
"""The node that searches for what to train."""
PUBLISHER: Final = "Publisher"
"""The node that copies the pushed version to object storage."""
PAST_SEARCHES: Final = "PastSearches"
"""The node that looks up the histories of earlier searches."""
CHOSEN_BACKBONE: Final = "ChosenBackbone"
"""The node that looks up whether the search chose the same backbone before."""
CHAMPION: Final = "Champion"
"""The node that looks up the model that the training begins from."""
RESOLVERS: Final = (BASELINE, PAST_SEARCHES, CHOSEN_BACKBONE, CHAMPION)
"""Nodes that do no work that could be cached."""
