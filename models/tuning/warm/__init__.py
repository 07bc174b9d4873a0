"""Searches that start from what earlier searches learned.

`models.tuning.warm.oracle.WarmStartOracle` is an oracle for any Keras Tuner tuner; it learns from
`models.tuning.warm.past.PastSearch`es.
"""
