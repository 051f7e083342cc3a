"""Death at every labelled place of an order's life: real processes, killed and started again."""
