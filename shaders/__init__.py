"""Sources of the GPU kernels and of the window's shaders; data, no Python code."""
