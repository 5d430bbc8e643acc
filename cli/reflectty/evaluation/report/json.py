"""The report of a run as JSON: every figure, without the texts of the answers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from reflectty.evaluation.published import published_for
from reflectty.evaluation.summary import LEVEL

if TYPE_CHECKING:
    from pathlib import Path

    from reflectty.evaluation.ledger import Ledger, Rate
    from reflectty.evaluation.records import ArmSetup, RunManifest
    from reflectty.evaluation.run_file import RunData
    from reflectty.evaluation.summary import ArmSummary, GroupAccuracy, PairedDifference, RunSummary


def report_object(run: RunData, summary: RunSummary) -> dict[str, Any]:
    """A report as a JSON object; shares are between 0 and 1, means are per answer."""
    return {
        "run": run_object(run.path, run.manifest),
        "items": len(run.items),
        "level": LEVEL,
        "arms": [_arm_object(one, two) for one, two in zip(summary.arms, run.manifest.arms, strict=True)],
        "differences": [_difference_object(one) for one in summary.differences],
        "ledgers": [_ledger_object(one) for one in summary.ledgers],
        "groups": [_group_object(one, run.arms) for one in summary.groups],
        "published": [
            {
                "model": one.model,
                "set": one.set_name,
                "percent": one.percent,
                "setting": one.setting,
                "quantization": one.quantization,
                "source": one.source,
            }
            for one in published_for(run.manifest)
        ],
        "warnings": list(summary.warnings),
    }


def run_object(path: Path, manifest: RunManifest) -> dict[str, Any]:
    """What a run is about, as a JSON object."""
    return {
        "name": path.stem,
        "path": str(path),
        "set": manifest.set_name,
        "set_digest": manifest.set_digest,
        "origin": manifest.origin,
        "planned": manifest.planned,
        "seed": manifest.seed,
        "created": manifest.created,
        "host": manifest.host,
        "quantization": manifest.quantization,
        "parameter_size": manifest.parameter_size,
        "reflectty": manifest.reflectty,
    }


def _arm_object(one: ArmSummary, setup: ArmSetup) -> dict[str, Any]:
    return {
        "name": one.name,
        "mode": setup.mode,
        "effort": setup.effort,
        "budget": setup.budget,
        "model": setup.model,
        "digest": setup.digest,
        "options": dict(setup.options),
        "instruction": setup.instruction,
        "accuracy": rate_object(one.accuracy),
        "accuracy_of_finished": rate_object(one.finished_accuracy),
        "clustered": one.clustered and one.clustered._asdict(),
        "verdicts": {str(verdict): number for verdict, number in one.verdicts.items()},
        "weak": rate_object(one.weak),
        "runaways": one.runaways,
        "thinking_tokens": one.thinking_tokens,
        "answer_tokens": one.answer_tokens,
        "seconds": one.seconds,
        "settled": one.settled,
        "settled_known": one.settled_known,
    }


def rate_object(one: Rate) -> dict[str, Any]:
    """A rate as a JSON object; the share is null if it is one of nothing."""
    return {
        "part": one.part,
        "whole": one.whole,
        "share": one.share if one.whole else None,
        "low": one.low,
        "high": one.high,
    }


def _difference_object(one: PairedDifference) -> dict[str, Any]:
    return {
        "arm": one.arm,
        "baseline": one.baseline,
        "pairs": one.pairs,
        "asked": one.asked,
        "planned": one.planned,
        "only_baseline": one.only_baseline,
        "only_arm": one.only_arm,
        "difference": one.difference,
        "low": one.low,
        "high": one.high,
        "p": one.p,
        "exact_p": one.exact_p,
        "adjusted_p": one.adjusted_p,
        "smallest_visible_gain": one.visible,
        "clustered": one.clustered and one.clustered._asdict(),
        "conclusion": str(one.conclusion),
    }


def _ledger_object(one: Ledger) -> dict[str, Any]:
    return {
        "arm": one.arm,
        "transitions": {str(transition): number for transition, number in one.transitions.items()},
        "corrected": rate_object(one.correction_rate),
        "tagged_corrections": one.tagged_corrections,
        "second_thoughts": one.second_thoughts,
        "changed": rate_object(one.changed),
        "fix_rate": rate_object(one.fix_rate),
        "break_rate": rate_object(one.break_rate),
        "net": one.net,
        "p": one.p,
        "runaways": one.runaways,
        "extra_items": one.extra.items,
        "extra_tokens": one.extra.tokens,
        "extra_seconds": one.extra.seconds,
        "tokens_per_fix": one.tokens_per_fix,
        "seconds_per_fix": one.seconds_per_fix,
        "probes": one.probes._asdict(),
    }


def _group_object(one: GroupAccuracy, arms: tuple[str, ...]) -> dict[str, Any]:
    rates = zip(arms, one.accuracies, strict=True)
    return {"name": one.name, "items": one.items, "arms": {arm: rate_object(found) for arm, found in rates}}
