"""Read, fold, decide, vet, journal, act, record - in that order."""
