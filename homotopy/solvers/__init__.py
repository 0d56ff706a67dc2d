"""The correctors: stochastic gradient steps for all seeds at once, in C++, on a GPU and in plain PyTorch."""
