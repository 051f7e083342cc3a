"""The schema's history, one file a step, each with its way back."""
