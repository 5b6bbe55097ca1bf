"""One module per published release; `cohorts.catalogue` finds them all."""
