"""What an ECG cart prints, and a model that sees nothing else."""
