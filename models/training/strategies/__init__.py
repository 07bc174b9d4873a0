"""Ways to transfer more than the linear head does, each for a situation of its own.

A strategy is one file that holds one class, a `models.training.strategies.strategy.Strategy`; to
add one, copy `few_shot.py` and name the class in `models.training.strategies.choice`. Each competes
with the head that knows no strategy, and the better one by evidence is kept.
"""
