"""Sources as people, tools and accidents make them, with what ought to become of each part.

In each module a strategy of hypothesis yields a source as plain values, which are told when a test
fails; its `build` lays such a source on the disk and returns what was offered.
"""
