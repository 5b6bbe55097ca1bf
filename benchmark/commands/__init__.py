"""The commands of `leadboard`, by what they are about. Heavy imports happen inside the functions."""
