"""The algorithms that propose trials, behind Keras Tuner's interface."""
