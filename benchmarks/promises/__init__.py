"""What the store promises, each promise tried many times over by a script of its own."""
