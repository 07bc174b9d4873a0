"""Sorting images by the names of their classes alone, without one labelled image.

M. Norouzi et al., "Zero-Shot Learning by Convex Combination of Semantic Embeddings" (ICLR 2014):
the classes that a pretrained network knows stand for those that it does not, each by how near their
meanings are. Here meanings are compared in WordNet.
"""
