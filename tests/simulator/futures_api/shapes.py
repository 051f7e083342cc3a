"""Comparison of an answer with a documented example or schema: the same fields with the same JSON types."""

from __future__ import annotations

import gzip
import json
from functools import cache
from pathlib import Path
from typing import Any, cast

import yaml

PREFIX = "clients_derivatives_trading_usds_futures_tests_unit_"


@cache
def fixtures(folder: Path) -> dict[str, Any]:
    """The official example payloads of USD-M by `file::test`."""
    with gzip.open(folder / "fixtures" / "binance-sdk-example-payloads.json.gz") as file:
        cases = json.load(file)
    return {name.removeprefix(PREFIX): case["payloads"][0] for name, case in cases.items() if name.startswith(PREFIX)}


@cache
def openapi(folder: Path) -> dict[str, Any]:
    """The OpenAPI description of USD-M."""
    with gzip.open(folder / "wire-spec" / "openxapi-openapi-umfutures.yaml.gz") as file:
        return cast("dict[str, Any]", yaml.load(file, yaml.CSafeLoader))


def response_schema(folder: Path, method: str, path: str) -> Any:
    """Schema of the 200 answer, references resolved at every level."""
    document = openapi(folder)
    operation = document["paths"][path][method.lower()]
    content = operation["responses"]["200"]["content"]
    return _resolve(document, next(iter(content.values()))["schema"])


def _resolve(document: dict[str, Any], node: Any) -> Any:
    if isinstance(node, list):
        return [_resolve(document, item) for item in node]
    if not isinstance(node, dict):
        return node
    if "$ref" in node:
        return _resolve(document, document["components"]["schemas"][node["$ref"].rsplit("/", 1)[-1]])
    return {name: _resolve(document, value) for name, value in node.items() if name != "example"}


def differences_from_example(example: Any, answer: Any, where: str = "$") -> list[str]:
    """Places where the answer lacks a field of the example or gives it another JSON type."""
    if isinstance(example, dict):
        if not isinstance(answer, dict):
            return [f"{where}: {_kind(answer)} instead of object"]
        found = []
        for name, value in example.items():
            if name in answer:
                found += differences_from_example(value, answer[name], f"{where}.{name}")
            else:
                found.append(f"{where}.{name}: missing")
        return found
    if isinstance(example, list):
        if not isinstance(answer, list):
            return [f"{where}: {_kind(answer)} instead of array"]
        if example and not answer:
            return [f"{where}: empty"]
        return differences_from_example(example[0], answer[0], f"{where}[]") if example else []
    if example == "None" and answer is None:
        return []  # the recording of the examples wrote null as a text
    return [] if _kind(example) == _kind(answer) else [f"{where}: {_kind(answer)} instead of {_kind(example)}"]


def differences_from_schema(schema: Any, answer: Any, where: str = "$") -> list[str]:
    """Places where the answer lacks a described property or breaks its type."""
    if "oneOf" in schema:
        tried = [differences_from_schema(option, answer, where) for option in schema["oneOf"]]
        return min(tried, key=len)
    kind = schema.get("type")
    if kind == "array":
        if not isinstance(answer, list):
            return [f"{where}: {_kind(answer)} instead of array"]
        found = [] if answer else [f"{where}: empty"]
        for item in answer:
            found += differences_from_schema(schema.get("items", {}), item, f"{where}[]")
        return sorted(set(found))
    if kind == "object":
        return _differences_of_object(schema, answer, where)
    if kind is None or _kind(answer) == kind or (kind == "number" and _kind(answer) == "integer"):
        return []
    return [f"{where}: {_kind(answer)} instead of {kind}"]


def _differences_of_object(schema: Any, answer: Any, where: str) -> list[str]:
    if not isinstance(answer, dict):
        return [f"{where}: {_kind(answer)} instead of object"]
    found = []
    for name, described in schema.get("properties", {}).items():
        if name in answer:
            found += differences_from_schema(described, answer[name], f"{where}.{name}")
        else:
            found.append(f"{where}.{name}: missing")
    return found


def _kind(value: Any) -> str:
    names = {str: "string", bool: "boolean", int: "integer", float: "number", dict: "object", list: "array"}
    return names.get(type(value), "null")
