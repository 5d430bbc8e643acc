"""Brings back the tags that a model loses: a copy of it whose tags are text; draws nothing and reads no arguments."""

from reflectty.repairing.values import Observer, Repaired, Step, Wanted

__all__ = ["Observer", "Repaired", "Step", "Wanted"]
