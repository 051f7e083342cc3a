"""The loop over history: plain functions over flat arrays that run compiled and interpreted and give the same.

Nothing in here is called by its own name: `engine.backtest.runtime` makes a copy of these functions for each strategy
in which `decide` is the strategy's own. Lists of Python integers when interpreted, int64 arrays when compiled.
"""
