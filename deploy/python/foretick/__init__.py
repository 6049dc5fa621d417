"""Reads the training sets that `foretick features` writes.

`load(path)` gives a `Dataset`: its table, features, labels, splits, folds and weights, and the windows that the
engine would score. Nothing is computed here that the engine computes: features and labels are those of the file.
"""

from .dataset import Dataset, Fold, Label, load
from .windows import Windows

__version__ = "0.1.0"
__all__ = ["Dataset", "Fold", "Label", "Windows", "load"]
