"""HTTP in and out: parameters, keys, signatures, weights, limits, errors."""

from __future__ import annotations
