"""Venues that are a table: one shared adapter over ccxt's unified methods.

What is proven: translation, against answers written after the venues' documentation. What is not: the behaviour of the
venues themselves. No run against them has been made.
"""
