"""What a set says of itself, in the metadata of its file."""

from __future__ import annotations

import json
from typing import Any, Dict, List, Mapping, Optional

import pyarrow as pa


def describe(schema: pa.Schema) -> Dict[str, Any]:
    """The object `foretick.set`; of older files what their other keys say; else what the columns say."""
    metadata = {key.decode(): value.decode() for key, value in (schema.metadata or {}).items()}
    described: Dict[str, Any] = {}
    if "foretick.set" in metadata:
        described = json.loads(metadata["foretick.set"])
    described.setdefault("features", _json(metadata, "foretick.features") or _numbers(schema))
    described.setdefault("features_sha256", metadata.get("foretick.features_sha256"))
    described.setdefault("pipeline", metadata.get("foretick.pipeline"))
    described.setdefault("steps", int(metadata.get("foretick.steps", 1)))
    described.setdefault("break_ms", None)
    described.setdefault("labels", _older_labels(schema, metadata))
    described.setdefault("folds", [])
    described.setdefault("inputs", [])
    return described


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


def _numbers(schema: pa.Schema) -> List[str]:
    """The columns of floating-point numbers that have no other meaning."""
    others = {"weight", "mid", "move_bps"}
    return [
        field.name
        for field in schema
        if pa.types.is_floating(field.type) and field.name not in others and not field.name.endswith("_value")
    ]
