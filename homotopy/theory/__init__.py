"""The paper's Sections 3, E, F and G, measured: each bound beside what stochastic gradient descent does."""
