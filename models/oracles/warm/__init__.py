"""Searches that start from what earlier searches learned.

`models.oracles.warm.warm_start_oracle.WarmStartOracle` is an oracle for any Keras Tuner tuner; it
learns from `models.history.past_search.PastSearch`es.
"""
