"""Wiring: settings, addresses, Celery, health. Apps are imported here by name only."""

from .celery import app as celery_app

__all__ = ["celery_app"]
