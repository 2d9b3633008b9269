"""What is done with every event, compiled: kernels over arrays, which take only what they are sure of and mark all else."""
