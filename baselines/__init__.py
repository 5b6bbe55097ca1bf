"""What is measured: controls and networks, registered as any stranger's plugin is."""
