"""The commands: read arguments, call one function and print the result."""
