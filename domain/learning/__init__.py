"""Learning as a part of the law: signals compete, a model learns from what became of each, on closed bars alone.

Everything that is learned lies in the memory of the instance, so a restart, a replay and the compiler change nothing of
it: `layout` says where. `signals` see the market and propose a side; `paper` follows every proposal to its end as if it
were traded; `model` predicts which end well, is told, and learns; `sizing` says how much a prediction is worth; `card`
tells a person what was learned. Floats are chances and scores here, never money. The powers and logarithms are made of
the four operations alone (`numbers`), so that every machine learns the same to the last bit.
"""
