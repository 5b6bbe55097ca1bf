"""Where a model was surest and wrong, as ECG sheets for people."""
