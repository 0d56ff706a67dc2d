"""From a configuration to a result folder: the device, checkpoints, interruptions, and the run itself."""
