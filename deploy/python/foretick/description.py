"""What a set says of itself, in the metadata of its file; or what the caller says of it."""

from __future__ import annotations

import json
from typing import Any, Dict, List, Mapping, Optional, Sequence

import pyarrow as pa

Described = Dict[str, Any]
"""What `foretick.set` holds: features, labels, steps, break_ms, folds, inputs and more."""

KEYS = ("instrument", "obligor", "company", "applicant")
"""The columns that may say what a row is about."""


def describe(schema: pa.Schema, name: str = "the set") -> Described:
    """The object `foretick.set`; of older files what their other keys say."""
    metadata = {key.decode(): value.decode() for key, value in (schema.metadata or {}).items()}
    described: Described = {}
    if "foretick.set" in metadata:
        described = json.loads(metadata["foretick.set"])
    elif "foretick.features" not in metadata:
        raise ValueError(
            f"while reading {name}: it does not say which columns are features and labels: the metadata "
            "`foretick.set` is missing. pandas and other programs drop it when they write a file. Say it "
            "with `like=`, the file as `foretick features` wrote it, or with `features=`, `labels=` and "
            "`steps=`; or write the copy with the metadata: "
            "pa.Table.from_pandas(frame).replace_schema_metadata(pq.read_schema(original).metadata)"
        )
    described.setdefault("features", _json(metadata, "foretick.features") or [])
    described.setdefault("features_sha256", metadata.get("foretick.features_sha256"))
    described.setdefault("pipeline", metadata.get("foretick.pipeline"))
    described.setdefault("steps", int(metadata.get("foretick.steps", 1)))
    described.setdefault("break_ms", None)
    described.setdefault("labels", _older_labels(schema, metadata))
    described.setdefault("folds", [])
    described.setdefault("inputs", [])
    return described


def describe_like(schema: pa.Schema, original: pa.Schema, name: str) -> Described:
    """The description of the set that this one was made of, which must still have its features."""
    described = describe(original, "the set that `like` names")
    there = set(schema.names)
    folds = (fold["name"] for fold in described["folds"])
    needed = [*described["features"], "ts_event", "window_start", "quality", *folds]
    needed += [key for key in KEYS if key in original.names]
    missing = [column for column in needed if column in original.names and column not in there]
    if missing:
        raise ValueError(f"while reading {name} like another set: it lacks the columns {', '.join(missing)}")
    described["labels"] = [label for label in described["labels"] if label["column"] in there]
    return described


def describe_as_told(
    schema: pa.Schema,
    name: str,
    features: Optional[Sequence[str]],
    labels: Optional[Mapping[str, Optional[Sequence[str]]]],
    steps: Optional[int],
    break_ms: Optional[int],
) -> Described:
    """What the caller says of a set that says nothing."""
    told = {"features": features, "labels": labels, "steps": steps}
    missing = [f"`{argument}=`" for argument, value in told.items() if value is None]
    if missing or features is None or labels is None or steps is None:
        told_of = ", ".join(missing)
        raise ValueError(f"while reading {name} as told: say {told_of} too; `labels={{}}` where it has none")
    if isinstance(features, str) or not isinstance(labels, Mapping):
        raise ValueError(
            f"while reading {name} as told: `features` is a list of columns, and `labels` a dict of columns, "
            "each with its classes in the order of the model, or None where it holds numbers"
        )
    for column in (*features, *labels):
        if column not in schema.names:
            listed = ", ".join(schema.names)
            raise ValueError(f"while reading {name} as told: there is no column `{column}`; it has {listed}")
    if int(steps) < 1:
        raise ValueError(f"while reading {name} as told: `steps` is {steps}; a window has one row or more")
    return {
        "features": list(features),
        "features_sha256": None,
        "pipeline": None,
        "steps": int(steps),
        "break_ms": break_ms,
        "labels": [_told_label(schema, name, column, classes) for column, classes in labels.items()],
        "folds": [],
        "inputs": [],
        "told": True,
    }


def _told_label(
    schema: pa.Schema, name: str, column: str, classes: Optional[Sequence[str]]
) -> Dict[str, Any]:
    kind = schema.field(column).type
    kind = kind.value_type if pa.types.is_dictionary(kind) else kind
    is_number = pa.types.is_floating(kind) or pa.types.is_integer(kind) or pa.types.is_boolean(kind)
    if classes is None and not is_number:
        said = f"labels={{'{column}': [...]}}"
        raise ValueError(f"while reading {name} as told: say the classes of `{column}`: {said}")

    def there(end: str) -> Optional[str]:
        return f"{column}_{end}" if f"{column}_{end}" in schema.names else None

    return {
        "name": column,
        "column": column,
        "value_column": there("value") or (column if classes is None else None),
        "end_column": there("end"),
        "classes": None if classes is None else list(classes),
    }


def _json(metadata: Mapping[str, str], key: str) -> Any:
    return json.loads(metadata[key]) if key in metadata else None


def _older_labels(schema: pa.Schema, metadata: Mapping[str, str]) -> List[Dict[str, Any]]:
    if "label" not in schema.names:
        return []

    def there(name: str) -> Optional[str]:
        return name if name in schema.names else None

    horizon = metadata.get("foretick.horizon_ms")
    return [
        {
            "name": "label",
            "kind": "move",
            "column": "label",
            "value_column": there("move_bps"),
            "end_column": there("label_end"),
            "classes": _json(metadata, "foretick.labels"),
            "horizon_ms": int(horizon) if horizon else None,
        }
    ]
