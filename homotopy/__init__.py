"""Reproduction of "Transferring Optimality Across Data Distributions via Homotopy Methods" (ICLR 2020)."""
