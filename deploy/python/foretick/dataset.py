"""A training set: its table, and what its columns mean."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Any, Iterator, List, Mapping, Optional, Sequence, Union

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from . import cells
from .description import KEYS, Described, describe, describe_as_told, describe_like
from .windows import Windows, window_ends

Path = Union[str, "os.PathLike[str]"]
PARTS = ("train", "validation", "test", "purge", "embargo", "excluded")
"""What a row may be in a split or a fold."""
QUALITIES = ("ok", "late", "warming", "stale", "degraded", "crossed", "gap")
"""The qualities of rows, best first."""
OF_ROWS = (*KEYS, "ts_event", "quality", "window_start", "weight", "split")
"""Columns that are always read: windows need them."""


@dataclass(frozen=True)
class Label:
    """A label and its columns."""

    name: str
    kind: Optional[str]
    column: str
    value_column: Optional[str]
    end_column: Optional[str]
    classes: Optional[List[str]]
    horizon_ms: Optional[int]


@dataclass(frozen=True)
class Fold:
    """A fold: the rows to train on, and those to test on, by their numbers in the file."""

    name: str
    train: np.ndarray
    test: np.ndarray


def load(
    path: Path,
    columns: Optional[Sequence[str]] = None,
    *,
    like: Optional[Path] = None,
    features: Optional[Sequence[str]] = None,
    labels: Optional[Mapping[str, Optional[Sequence[str]]]] = None,
    steps: Optional[int] = None,
    break_ms: Optional[int] = None,
) -> "Dataset":
    """Reads a set that `foretick features` wrote.

    columns: leaves out other features, labels and columns than these; what windows need is read all the same.
    A set that another program wrote again may have lost its description, and is an error unless it is told.
    like: the file of which it was made. features, labels, steps: the columns with the features, in the order of
    the model; the columns with labels, each with its classes, or None where it holds numbers; the rows in a
    window for which the set was purged. break_ms: the silence that ends windows, where there is no column
    `window_start`.
    """
    file = os.fspath(path)
    schema = pq.read_schema(file)
    told = (features, labels, steps, break_ms)
    is_told = any(one is not None for one in told)
    if like is not None and is_told:
        others = "features, labels, steps and break_ms"
        raise ValueError(f"while reading {file}: `like` says all; leave out {others}")
    if like is not None:
        description = describe_like(schema, pq.read_schema(os.fspath(like)), file)
    elif is_told:
        description = describe_as_told(schema, file, *told)
    else:
        description = describe(schema, file)
    if columns is None:
        return Dataset(pq.read_table(file), description)
    wanted = [columns] if isinstance(columns, str) else list(columns)
    for name in wanted:
        if name not in schema.names:
            there = ", ".join(schema.names)
            raise ValueError(f"while reading {file}: there is no column `{name}`; it has {there}")
    kept = [name for name in schema.names if name in wanted or name in OF_ROWS or _is_fold(name)]
    return Dataset(pq.read_table(file, columns=kept), description)


class Dataset:
    """A set in memory. Rows have the numbers that they have in the file."""

    def __init__(self, table: pa.Table, description: Optional[Described] = None) -> None:
        self.table = table
        self.description: Described = describe(table.schema) if description is None else description
        """What the set says of itself, or was told of it."""
        self.features: List[str] = [name for name in self.description["features"] if name in table.column_names]
        """The names of the features, in the order in which a model takes them."""
        self.labels: List[Label] = [_label(one) for one in self.description["labels"]]
        """The labels; the first is the default of all methods."""
        self.steps: int = int(self.description["steps"])
        """Rows in a window of the pipeline's model."""

    def __len__(self) -> int:
        return self.table.num_rows

    @property
    def key(self) -> Optional[str]:
        """The column that says what a row is about; none where all rows are about one thing."""
        names = self.table.column_names
        return next((name for name in KEYS if name in names), None)

    @property
    def instrument(self) -> np.ndarray:
        """What each row is about."""
        if self.key is None:
            return np.full(len(self), "", dtype=object)
        return cells.texts(self.table[self.key])

    @property
    def weight(self) -> np.ndarray:
        """The average uniqueness of each row's label; 1 where the set has no weights."""
        if "weight" not in self.table.column_names:
            return np.ones(len(self))
        return self.numbers("weight")

    @property
    def X(self) -> np.ndarray:
        """The features, float64 [rows, features]; NaN where a value is not known."""
        if not self.features:
            return np.empty((len(self), 0))
        return np.column_stack([self.numbers(name) for name in self.features])

    def numbers(self, column: str) -> np.ndarray:
        """A column of numbers, float64; NaN where it is null."""
        return cells.numbers(self._column(column), column)

    def times(self, column: str = "ts_event") -> np.ndarray:
        """A column of times, datetime64[ns] in UTC; NaT where it is null."""
        return self._nanoseconds(column).view("datetime64[ns]")

    def label(self, name: Optional[str] = None) -> Label:
        """The label of this name, or the first."""
        if not self.labels:
            raise ValueError("while looking for a label: the set has none; add a [label] table to the pipeline")
        for label in self.labels:
            if name in (None, label.name):
                return label
        names = ", ".join(label.name for label in self.labels)
        raise ValueError(f"while looking for the label `{name}`: the set has {names}")

    def y(self, label: Optional[str] = None, value: bool = False) -> np.ndarray:
        """The classes of a label, int64 indices into its `classes` (-1: none); or its values, float64 (NaN: none)."""
        found = self.label(label)
        if value and found.value_column is None:
            raise ValueError(f"while reading the values of the label `{found.name}`: it has classes only")
        if value or found.classes is None:
            return self.numbers(found.value_column or found.column)
        words = cells.texts(self._column(found.column))
        place = {word: at for at, word in enumerate(found.classes)}
        unknown = {word for word in words if word is not None} - place.keys()
        if unknown:
            raise ValueError(f"while reading `{found.column}`: it has the classes {sorted(unknown)}, which are not told")
        return np.fromiter((place.get(word, -1) for word in words), dtype=np.int64, count=len(words))

    def split(self, *parts: str) -> np.ndarray:
        """The numbers of the rows of these parts: `train`, `validation`, `test`, `purge`, `embargo`, `excluded`.

        A part that is no part, and parts of which there is no row, are an error.
        """
        return np.flatnonzero(_any_of(self._column("split"), "split", parts, PARTS))

    def folds(self) -> Iterator[Fold]:
        """The folds, in their order. What is purged, embargoed or excluded is in neither part."""
        return map(self.fold, self._fold_names())

    def fold(self, name: str) -> Fold:
        """The fold of this name, such as `fold_0`."""
        names = self._fold_names()
        if name not in names:
            there = f"it has {', '.join(names)}" if names else "it has none"
            raise ValueError(f"while looking for the fold `{name}`: the set does not have it; {there}")
        codes, words = cells.coded(self._column(name))
        unknown = sorted(set(words) - set(PARTS))
        if unknown:
            raise ValueError(f"while reading the fold `{name}`: {unknown} are none of {', '.join(PARTS)}")
        train, test = (np.flatnonzero(_is_word(codes, words, part)) for part in ("train", "test"))
        return Fold(name, train, test)

    def _fold_names(self) -> List[str]:
        named = [fold["name"] for fold in self.description["folds"]]
        return named or sorted(filter(_is_fold, self.table.column_names), key=lambda name: int(name[5:]))

    def windows(
        self,
        T: Optional[int] = None,
        *,
        split: Union[str, Sequence[str], None] = None,
        rows: Optional[np.ndarray] = None,
        label: Optional[str] = None,
        value: bool = False,
        labelled: bool = True,
        quality: Optional[Sequence[str]] = ("ok",),
        dtype: Any = np.float32,
    ) -> Windows:
        """The windows of T rows (the pipeline's own number) that end in these rows, in the order of the file.

        T: no more than `steps`, for which the set was purged: longer windows of test would reach into train.
        split, rows: the parts, or the numbers of the rows (or a mask of all), in which windows end; all without
        them. The other rows of a window may be of any part: a purge keeps those of train and test apart.
        labelled: leave out windows
        whose last row has no label. quality: leave out windows with a row of another quality than these; None
        takes all. dtype: that of X; models take float32.
        """
        steps = self.steps if T is None else int(T)
        if steps < 1:
            raise ValueError(f"while making windows of {steps} rows: a window has one row or more")
        if steps > self.steps:
            raise ValueError(
                f"while making windows of {steps} rows: the set was split for windows of {self.steps}, and "
                "longer ones of its test reach over the purge into train; export it again with "
                f"`split.steps = {steps}`"
            )
        ends = self._ends(steps, quality)
        chosen = np.ones(len(self), dtype=bool)
        if split is not None:
            parts = (split,) if isinstance(split, str) else tuple(split)
            chosen &= np.isin(np.arange(len(self)), self.split(*parts))
        if rows is not None:
            chosen &= self._mask(rows)
        has_label = bool(self.labels) or label is not None or value
        y = self.y(label, value) if has_label else np.full(len(self), -1)
        if labelled and self.labels:
            chosen &= ~np.isnan(y) if y.dtype.kind == "f" else y >= 0
        kept = chosen[ends.index]
        index, within = ends.index[kept], ends.rows[kept]
        return Windows(
            X=self.X.astype(dtype)[within],
            y=y[index],
            index=index,
            weight=self.weight[index],
            instrument=self.instrument[index],
            ts_event=self.times()[index],
        )

    def _ends(self, steps: int, quality: Optional[Sequence[str]]) -> Any:
        names = self.table.column_names
        is_told = bool(self.description.get("told"))
        if self.key is None and not is_told:
            keys = ", ".join(KEYS)
            raise ValueError(f"while making windows: no column says what a row is about; keep one of {keys}")
        instrument = np.zeros(len(self), dtype=np.int64)
        if self.key is not None:
            instrument, _ = cells.coded(self.table[self.key])
        usable = np.ones(len(self), dtype=bool)
        if quality is not None and ("quality" in names or not is_told):
            wanted = (quality,) if isinstance(quality, str) else tuple(quality)
            usable = _any_of(self._column("quality"), "quality", wanted, QUALITIES, may_be_none=True)
        starts = self._nanoseconds("window_start") if "window_start" in names else None
        break_ms = self.description["break_ms"]
        break_ns = None if break_ms is None else int(break_ms) * 1_000_000
        times = self._nanoseconds("ts_event")
        return window_ends(instrument, times, steps, break_ns, starts, usable, steps == self.steps)

    def _mask(self, rows: Any) -> np.ndarray:
        """Which rows are of these numbers, or of this mask."""
        given = np.asarray(rows)
        if given.dtype == bool and given.shape == (len(self),):
            return given
        chosen = np.zeros(len(self), dtype=bool)
        if given.size == 0:
            return chosen
        if given.dtype.kind not in "iu" or given.min() < 0 or given.max() >= len(self):
            raise ValueError(
                f"while choosing rows: `rows` is to hold numbers of rows from 0 to {len(self) - 1}, or a mask of "
                f"all {len(self)}; these are {given.dtype} of shape {given.shape}"
            )
        chosen[given] = True
        return chosen

    def _nanoseconds(self, column: str) -> np.ndarray:
        return cells.nanoseconds(self._column(column), column)

    def _column(self, name: str) -> pa.ChunkedArray:
        if name not in self.table.column_names:
            names = ", ".join(self.table.column_names)
            raise ValueError(f"while reading the column `{name}`: the set has {names}")
        return self.table[name]


def _label(described: Dict[str, Any]) -> Label:
    fields = ("name", "kind", "column", "value_column", "end_column", "classes", "horizon_ms")
    return Label(**{field: described.get(field) for field in fields})


def _any_of(
    column: pa.ChunkedArray, name: str, wanted: Sequence[str], known: Sequence[str], may_be_none: bool = False
) -> np.ndarray:
    """Which rows hold one of these words, which must be known or there."""
    codes, words = cells.coded(column)
    rows = np.bincount(codes[codes >= 0], minlength=len(words))
    there = ", ".join(f"{word} ({count} rows)" for word, count in zip(words, rows)) or "nothing"
    for word in wanted:
        if not isinstance(word, str) or word not in (*known, *words):
            raise ValueError(f"while choosing rows by `{name}`: there is no {word!r}; the set has {there}")
    chosen = np.isin(codes, [words.index(word) for word in wanted if word in words])
    if not (may_be_none or chosen.any()):
        asked = " or ".join(wanted) or "named"
        raise ValueError(f"while choosing rows by `{name}`: no row is {asked}; the set has {there}")
    return chosen


def _is_word(codes: np.ndarray, words: Sequence[str], word: str) -> np.ndarray:
    return codes == words.index(word) if word in words else np.zeros(len(codes), dtype=bool)


def _is_fold(name: str) -> bool:
    return name.startswith("fold_") and name[5:].isdigit()
