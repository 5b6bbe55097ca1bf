"""Where one number of a run comes from: a chain of links, from the release to the interval."""
