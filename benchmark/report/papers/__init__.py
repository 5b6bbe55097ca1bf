"""What an author takes from a run into a paper: tidy figures and typeset tables."""
