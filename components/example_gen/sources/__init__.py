"""Where images come from: listing them, without reading them.

`listing.list_source` picks the reader by what the path is: a folder, a manifest or TFRecords.
"""
