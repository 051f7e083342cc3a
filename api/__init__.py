"""Validate, authorise, hand over, answer."""
