"""The monitoring reference: what a blessed model answers to images that it was not trained on."""
