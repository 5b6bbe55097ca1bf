"""What several releases share."""
