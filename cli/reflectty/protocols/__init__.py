"""Wire protocols of model servers as data: requests to JSON, bytes to chunks; no I/O."""
