"""The push: a blessed model becomes the next version of the serving directory."""
