"""What travels when a release follows another: ours against the chunkers and the binary-delta tools, on real pairs."""
