"""The master scale: ten grades by PD. Each border is twice the one before; the last grade is open.

The names are this scale's own and no agency's. Change them here, train anew, and the model carries them.
"""

GRADES = [
    ("AAA", 0.001), ("AA", 0.002), ("A", 0.004), ("BBB", 0.008), ("BB+", 0.016),
    ("BB", 0.032), ("B+", 0.064), ("B", 0.128), ("CCC", 0.256), ("CC", 1.0),
]  # fmt: skip


def grade(pd):
    """The first grade whose highest PD is not exceeded."""
    return next(name for name, highest in GRADES if pd <= highest)
