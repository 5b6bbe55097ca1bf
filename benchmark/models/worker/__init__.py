"""A model in a process of its own, with another interpreter or in a container."""
