"""A training set: its table, and what its columns mean."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Any, Dict, Iterator, List, Optional, Sequence, Union

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from .description import describe
from .windows import Windows, window_ends

NO_TIME = np.iinfo(np.int64).min
"""A time that is not told, as numpy's NaT has it."""


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


def load(path: Union[str, "os.PathLike[str]"], columns: Optional[Sequence[str]] = None) -> "Dataset":
    """Reads a set that `foretick features` wrote; `columns` leaves out the others."""
    return Dataset(pq.read_table(os.fspath(path), columns=None if columns is None else list(columns)))


class Dataset:
    """A set in memory. Rows have the numbers that they have in the file."""

    def __init__(self, table: pa.Table) -> None:
        self.table = table
        self.description: Dict[str, Any] = describe(table.schema)
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
        return next((name for name in ("instrument", "obligor", "company", "applicant") if name in names), None)

    @property
    def instrument(self) -> np.ndarray:
        """What each row is about."""
        if self.key is None:
            return np.full(len(self), "", dtype=object)
        return _texts(self.table[self.key])

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
        cells = pc.cast(self._column(column), pa.float64())
        return pc.fill_null(cells, float("nan")).to_numpy()

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
        if value or found.classes is None:
            return self.numbers(found.value_column or found.column)
        words = _texts(self._column(found.column))
        place = {word: at for at, word in enumerate(found.classes)}
        unknown = {word for word in words if word is not None} - place.keys()
        if unknown:
            raise ValueError(f"while reading `{found.column}`: it has the classes {sorted(unknown)}, which are not told")
        return np.fromiter((place.get(word, -1) for word in words), dtype=np.int64, count=len(words))

    def split(self, *parts: str) -> np.ndarray:
        """The numbers of the rows of these parts: `train`, `validation`, `test`, `purge`, `embargo`, `excluded`."""
        return np.flatnonzero(np.isin(_texts(self._column("split")).astype(str), parts))

    def folds(self) -> Iterator[Fold]:
        """The folds, in their order. What is purged, embargoed or excluded is in neither part."""
        named = [fold["name"] for fold in self.description["folds"]]
        names = named or sorted(filter(_is_fold, self.table.column_names), key=lambda name: int(name[5:]))
        for name in names:
            roles = _texts(self._column(name)).astype(str)
            yield Fold(name, np.flatnonzero(roles == "train"), np.flatnonzero(roles == "test"))

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

        split, rows: the parts, or the numbers of the rows, in which windows end; all without them. The other rows
        of a window may be of any part: a purge keeps those of train and test apart. labelled: leave out windows
        whose last row has no label. quality: leave out windows with a row of another quality than these; None
        takes all. dtype: that of X; models take float32.
        """
        steps = self.steps if T is None else int(T)
        if steps < 1:
            raise ValueError(f"while making windows of {steps} rows: a window has one row or more")
        ends = self._ends(steps, quality)
        chosen = np.ones(len(self), dtype=bool)
        if split is not None:
            parts = (split,) if isinstance(split, str) else tuple(split)
            chosen &= np.isin(np.arange(len(self)), self.split(*parts))
        if rows is not None:
            chosen &= np.isin(np.arange(len(self)), rows)
        y = self.y(label, value) if self.labels else np.full(len(self), -1)
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
        _, instrument = np.unique(self.instrument.astype(str), return_inverse=True)
        usable = np.ones(len(self), dtype=bool)
        if quality is not None and "quality" in names:
            usable = np.isin(_texts(self.table["quality"]).astype(str), tuple(quality))
        is_told = "window_start" in names and steps == self.steps
        starts = self._nanoseconds("window_start") if is_told else None
        break_ms = self.description["break_ms"]
        break_ns = None if break_ms is None else int(break_ms) * 1_000_000
        return window_ends(instrument, self._nanoseconds("ts_event"), steps, break_ns, starts, usable)

    def _nanoseconds(self, column: str) -> np.ndarray:
        cells = self._column(column)
        if pa.types.is_timestamp(cells.type):
            cells = pc.cast(pc.cast(cells, pa.timestamp("ns", cells.type.tz)), pa.int64())
        return pc.fill_null(pc.cast(cells, pa.int64()), int(NO_TIME)).to_numpy()

    def _column(self, name: str) -> pa.ChunkedArray:
        if name not in self.table.column_names:
            names = ", ".join(self.table.column_names)
            raise ValueError(f"while reading the column `{name}`: the set has {names}")
        return self.table[name]


def _label(described: Dict[str, Any]) -> Label:
    fields = ("name", "kind", "column", "value_column", "end_column", "classes", "horizon_ms")
    return Label(**{field: described.get(field) for field in fields})


def _texts(cells: pa.ChunkedArray) -> np.ndarray:
    """Texts as objects; None where they are null."""
    encoded = pa.array(pc.cast(cells, pa.string()).combine_chunks()).dictionary_encode()
    words = np.array([*encoded.dictionary.to_pylist(), None], dtype=object)
    return words[pc.fill_null(encoded.indices, len(words) - 1).to_numpy(zero_copy_only=False)]


def _is_fold(name: str) -> bool:
    return name.startswith("fold_") and name[5:].isdigit()
