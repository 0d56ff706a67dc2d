"""Figures, one module each; they read result files and nothing else."""
