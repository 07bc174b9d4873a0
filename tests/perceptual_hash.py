"""The distance of two perceptual hashes."""


def hamming_distance(first: str, second: str) -> int:
    """In how many bits they differ, 0 to 64."""
    return (int(first, 16) ^ int(second, 16)).bit_count()
