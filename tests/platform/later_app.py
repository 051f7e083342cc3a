"""The platform's app in a build that is to come: its law is newer by one version."""

from __future__ import annotations

from celery_app import app as app
from core import editions

editions.LAW += 1  # type: ignore[misc]
