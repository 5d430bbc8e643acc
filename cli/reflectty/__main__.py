"""Runs the command as `python -m reflectty`; does nothing else."""

from reflectty.main import run

run()
