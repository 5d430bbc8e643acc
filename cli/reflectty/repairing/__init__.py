"""Brings back the tags that a model loses: a copy of it whose tags are text; draws nothing and reads no arguments."""

from reflectty.repairing.proof import QUESTION
from reflectty.repairing.repairing import repair, repaired_name
from reflectty.repairing.values import Observer, Repaired, Step, Wanted

__all__ = ["QUESTION", "Observer", "Repaired", "Step", "Wanted", "repair", "repaired_name"]
