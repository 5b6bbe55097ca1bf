"""The page of a board: its numbers as data, and the template, style and scripts that show them."""
