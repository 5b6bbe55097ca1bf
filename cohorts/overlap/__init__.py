"""Whether two recordings are the same, and which recordings two cohorts share."""
