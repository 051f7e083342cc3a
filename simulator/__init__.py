"""Speaks the venue's wire to the letter; its book and tape are the truth that tests compare with.

A local Binance (spot and USD-M futures) in one process. It imports nothing of the rest of the house and nothing of
the house imports it: it is started as a process, or embedded by a test through `simulator.server`.
"""

from __future__ import annotations
