"""x86-64: its assembly, its registers, its instructions."""
