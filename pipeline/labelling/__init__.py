"""Labelling a folder of images that nobody has labelled yet."""
