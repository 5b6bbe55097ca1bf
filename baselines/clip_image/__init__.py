"""Recordings as pictures, and image-text models that look at them."""
