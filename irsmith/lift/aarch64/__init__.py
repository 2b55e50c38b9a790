"""AArch64: its assembly, its registers, its instructions."""
