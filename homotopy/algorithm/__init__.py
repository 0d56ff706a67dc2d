"""Algorithm 1 of the paper: the deformation of the data, the path of lam, the prediction and correction of theta."""
