"""Plans how to make a model reflect and how to parse its reply, and ranks models to pick one."""

from __future__ import annotations

import re
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from reflectty.core import known_models
from reflectty.core.messages import Effort
from reflectty.core.model_names import is_same_model, remote_host_of
from reflectty.core.named_tuple import NamedTuple
from reflectty.reasoning.families import FAMILIES, HARMONY_APART, ends_in, family_of_model
from reflectty.reasoning.governor import CLOSING_SENTENCE

if TYPE_CHECKING:
    from collections.abc import Iterable

    from reflectty.core.budget import Budget
    from reflectty.core.evidence import Evidence
    from reflectty.core.messages import Arguments, Model, OptionValue
    from reflectty.reasoning.families import Family
    from reflectty.reasoning.governor import LoopAction
    from reflectty.reasoning.switches import Switch

REFLECT_PROMPT = """\
Think in writing before you answer.
Begin with <thinking> on a line of its own and work through the question there in small steps.
Whenever you find that a step was wrong, or want to make sure of one, stop and write <reflection>, what was \
wrong and what is right, then </reflection>, and go on from there.
When you are sure, write </thinking>.
Then write <output>, the whole answer, and </output>. Only what stands between these two is shown, so it must \
be complete without the thinking."""

_EFFORT_PROMPTS = {
    Effort.LOW: "Keep the thinking to a few short lines.",
    Effort.MEDIUM: "",
    Effort.HIGH: "Think thoroughly and check every result a second way.",
    Effort.MAX: "Think as thoroughly as you can: check every result a second way, and look for what you overlooked.",
}

NEUTRAL_PROMPT = "You are a helpful assistant."
"""Replaces a model's own system prompt if that prompt makes it think."""

_AFTER_OPENER = r"""(?:\s|\\n|['"]|\{%.*?%\}|\{\{-?\s*(?:end\s*)?-?\}\}|-?\}\}|\+)*"""
"""What may follow an opener at the end of a template: blanks and the ends of template code."""


class Mode(StrEnum):
    """How a model is made to reflect."""

    AUTO = "auto"
    NATIVE = "native"
    REFLECT = "reflect"
    DIRECT = "direct"


class AskOptions(NamedTuple):
    """The user's options for a request."""

    mode: Mode = Mode.AUTO
    effort: Effort | None = None
    family: Family | None = None
    """The family to parse the reply by; None derives it from the model."""
    system: str = ""
    model: str = ""
    """The model's name; empty picks the best installed one."""
    options: tuple[tuple[str, OptionValue], ...] = ()
    keep_alive: str = ""
    keep_thinking: str = "auto"
    """Whether earlier thinking is sent back to the model: `on`, `off`, or `auto` if its family was trained that way."""
    budget: Budget | None = None
    """How much the model may think; None leaves it to `budgets`."""
    budgets: tuple[tuple[str, Budget], ...] = ()
    """Budgets by model or effort level; the one under an empty name is for all others."""
    budget_sentence: str = ""
    """The last sentence of a thinking that is ended from outside; empty for ours."""
    loops: LoopAction | None = None
    """What happens to a thinking that repeats itself; None leaves it to the front end."""
    until_settled: bool = False
    """Whether the thinking ends once the answer that it states has stood."""
    evidence: tuple[tuple[str, Evidence], ...] = ()
    """By model, how it is best asked by a run of the user's; the mode `auto` uses it."""
    has_typed_way: bool = False
    """Whether an effort or a budget was asked for here, which precedes evidence."""
    samples: int = 0
    """How many replies are asked for, of which a vote picks one; 0 and 1 ask once."""
    verify: bool = False
    """Whether the reply is a draft that is verified and revised."""

    @property
    def closing_sentence(self) -> str:
        """The last sentence of a thinking that is ended from outside."""
        return self.budget_sentence or CLOSING_SENTENCE

    def budget_for(self, model: str) -> Budget | None:
        """The budget of a model: the one given, else that of the model, of the effort, of all; None for no limit."""
        if self.budget:
            return self.budget
        named = dict(self.budgets)
        by_model = next((budget for name, budget in self.budgets if name and is_same_model(name, model)), None)
        return by_model or named.get(str(self.effort or "")) or named.get("")

    def evidence_for(self, model: str) -> Evidence | None:
        """The evidence by which a model is asked; None if there is none, or the user has said how to ask."""
        if self.mode is not Mode.AUTO or self.has_typed_way:
            return None
        found = next((one for name, one in reversed(self.evidence) if is_same_model(name, model)), None)
        return None if found and found.mode != Mode.DIRECT and self._forbids_thinking(model) else found

    def _forbids_thinking(self, model: str) -> bool:
        budget = self.budget_for(model)
        return budget is not None and budget.allows_none

    def override(self, **fields: object) -> AskOptions:
        """Replace fields by those that are not empty; model options are replaced one by one."""
        changes: dict[str, Any] = {name: value for name, value in fields.items() if value}
        if "effort" in changes or "budget" in changes:
            changes["has_typed_way"] = True
        if "options" in changes:
            changes["options"] = tuple((dict(self.options) | dict(changes["options"])).items())
        return self._replace(**changes)


class Plan(NamedTuple):
    """The request to one model and the parsing of its reply."""

    mode: Mode
    family: Family
    prefilled: bool = False
    """Whether the template opens the thinking, so that the reply starts inside it."""
    think: bool | Effort | None = None
    arguments: Arguments = ()
    """The model's chat-template arguments for `think`, if they are not the usual ones."""
    system: str = ""
    """The system message to send; empty keeps the model's own."""
    in_content: bool = False
    """Whether the thinking is, or may be, in tags in the content."""
    expects_tags: bool = False
    """Whether a reply without any tag means that tags were lost."""
    lost_tokens: tuple[str, ...] = ()
    """Tokens of the model's tags that the server omits from the output, because of their type."""
    notes: tuple[str, ...] = ()


def own_family_of(model: Model) -> Family | None:
    """The family in which a model thinks by itself; None if there is no sign that it thinks.

    `native` if the server separates the thinking.
    """
    if "thinking" not in model.capabilities:
        return _tag_family_of(model)
    return HARMONY_APART if _is_of_harmony(model) else FAMILIES["native"]


def _is_of_harmony(model: Model) -> bool:
    named = family_of_model(model.name)
    return (named is not None and named.name == "harmony") or any(
        hint in model.template for hint in FAMILIES["harmony"].template_hints
    )


def _tag_family_of(model: Model) -> Family | None:
    return family_in_template(model) or family_in_vocabulary(model) or _family_by_name(model)


def _family_by_name(model: Model) -> Family | None:
    """The family by a model's name, unless its server reports capabilities and would report its thinking."""
    family = family_of_model(model.name)
    is_reported = family is not None and "completion" in model.capabilities and _is_reported_by_servers(family)
    return None if is_reported and not known_models.is_undeclared_thinker(model.name) else family


def _is_reported_by_servers(family: Family) -> bool:
    """Whether a server that reports capabilities would report this family's thinking.

    Ollama and llama-server detect `<think>` and `</think>` in a template, and know gpt-oss; no other tags.
    """
    return family.name == "harmony" or (family.thinking[:1] == FAMILIES["think"].thinking)


def family_in_vocabulary(model: Model) -> Family | None:
    """The family whose tags are tokens of the model; None if its vocabulary was not read."""
    if model.tags is None:
        return None
    from reflectty.reasoning.token_types import own_family

    return own_family(model.tags)


def lost_tokens_of(model: Model, family: Family) -> tuple[str, ...]:
    """The tokens of a family's tags that the model's server omits; empty if its vocabulary was not read.

    For `any`, those of `reflection`, whose tags the prompt asks for.
    """
    if model.tags is None or "thinking" in model.capabilities:
        return ()
    from reflectty.reasoning.token_types import lost_family_tokens_of

    return lost_family_tokens_of(model.tags, FAMILIES["reflection"] if family.name == "any" else family)


def family_in_template(model: Model) -> Family | None:
    """The family whose openers are in the model's own template or system prompt."""
    text = f"{model.template}\n{model.system}"
    for family in FAMILIES.values():
        if family.name != "native" and _occurs_in(family, text):
            return _closest_family(family, text)
    return None


def _occurs_in(family: Family, text: str) -> bool:
    if any(hint in text for hint in family.template_hints):
        return True
    # A Jinja template has line breaks as two characters.
    openers = [tag.opener.rstrip() for tag in (*family.thinking[:1], *family.answer[:1]) if tag.opener]
    return bool(openers) and all(opener in text for opener in openers)


def _closest_family(family: Family, text: str) -> Family:
    """The family that matches more of the text: one with the same thinking tag and also an answer tag."""
    for other in FAMILIES.values():
        openers = [tag.opener for tag in (*other.thinking[:1], *other.answer[:1])]
        same = other.thinking[:1] == family.thinking[:1] and other.name != "native"
        if same and other.answer and not family.answer and all(opener in text for opener in openers):
            return other
    return family


def opens_thinking(model: Model, family: Family) -> bool:
    """Whether the model's template ends in the family's opener, so that replies start inside the thinking."""
    for tag in family.thinking:
        opener = tag.opener.rstrip()
        at = model.template.rfind(opener) if opener else -1
        if at >= 0:
            return re.fullmatch(_AFTER_OPENER, model.template[at + len(opener) :], re.DOTALL) is not None
    return not model.template and (family.prefilled or (model.guessed and known_models.opens_thinking(model.name)))


def _starts_in_thinking(model: Model, family: Family, *, off: bool) -> bool:
    """Whether the content of a reply starts inside the thinking, without a server that separates it.

    A server that knows the thinking separates it, or closes what the template opens, even unrequested.

    Args:
        model: the model that replies.
        family: the family to parse the reply by.
        off: whether the thinking is switched off.
    """
    if model.prompt_endings:
        return model.guessed and _prompt_ends_in_thinking(model.prompt_endings[off], family)
    is_separated = ("thinking" in model.capabilities and not model.guessed) or off or model.is_jinja
    return opens_thinking(model, family) and not is_separated


def _prompt_ends_in_thinking(end: str, family: Family) -> bool:
    """Whether a prompt that the server rendered ends inside the thinking.

    If the server has a reasoning parser, which is unknown, the thinking goes to its field and the content is outside.
    """
    if not any(tag.opener for tag in family.thinking):
        return family.prefilled
    return any(ends_in(tag, end.rstrip()) for tag in family.thinking)


def _join_paragraphs(*parts: str) -> str:
    return "\n\n".join(part.strip() for part in parts if part.strip())


def plan(model: Model, ask_options: AskOptions) -> Plan:
    """Plan the request to a model and the parsing of its reply.

    A model with the capability thinks natively, and so does one whose template, system prompt or name is that of a
    family with tags, in those tags; a prompt makes any other reflect.
    """
    thinks = "thinking" in model.capabilities
    own = own_family_of(model)
    budget = ask_options.budget_for(model.name)
    mode = Mode.DIRECT if budget and budget.allows_none else ask_options.mode
    if mode is Mode.AUTO:
        mode = Mode.NATIVE if own else Mode.REFLECT
    family = ask_options.family or _reading_family_of(mode, own)
    switch = _switch(model, own)
    think = _think_value_of(mode, ask_options, thinks=thinks, can_switch=_can_switch_off(model, switch))
    off = think is False or (mode is not Mode.NATIVE and switch is not None and bool(switch.off))
    return Plan(
        mode=mode,
        family=family,
        prefilled=_starts_in_thinking(model, family if family.name != "any" or own is None else own, off=off),
        think=think,
        arguments=switch.arguments(thinks=mode is Mode.NATIVE, effort=ask_options.effort) if switch else (),
        system=_system_message_of(mode, model, ask_options, own),
        in_content=think is None or model.guessed,
        expects_tags=not thinks and family.name != "none" and _expects_tags(mode, model, own),
        lost_tokens=() if mode is Mode.DIRECT else lost_tokens_of(model, family),
        notes=tuple(_plan_notes(mode, model, ask_options, takes_effort=bool(switch.levels) if switch else thinks)),
    )


def mode_reason_of(model: Model) -> str:
    """The reason, in words, for the mode that `auto` picks for a model."""
    if "thinking" in model.capabilities:
        return f"{'the server' if model.unsupported_options else 'Ollama'} separates its thinking"
    if family_in_template(model):
        return "its template or system prompt has the tags"
    if family_in_vocabulary(model):
        return "its vocabulary has the tags"
    if _family_by_name(model):
        return "its name matches a family that thinks in tags"
    return "it shows no sign of thinking natively, so a prompt asks it to reflect"


def abilities_of(model: Model) -> tuple[str, ...]:
    """What a model can do besides answering: `reflection`, `thinking` and Ollama's capabilities."""
    family = _tag_family_of(model)
    thinks = "thinking" in model.capabilities or bool(family and (family.thinking or family.has_channels))
    own = (("reflection", bool(family and family.reflection)), ("thinking", thinks))
    others = tuple(name for name in _OTHER_ABILITIES if name in model.capabilities)
    return (*(name for name, has_ability in own if has_ability), *others)


_OTHER_ABILITIES = ("vision", "tools", "audio", "image", "insert", "embedding")


def _expects_tags(mode: Mode, model: Model, own: Family | None) -> bool:
    """Whether a regular reply of the model has tags that the parser knows."""
    if mode is not Mode.NATIVE or own is None:
        return mode is Mode.REFLECT
    # If llama.cpp separates the thinking, a reply without any had none.
    return not own.may_skip_thinking and not (own.counts_anywhere and model.is_jinja)


def _reading_family_of(mode: Mode, own: Family | None) -> Family:
    """The family to parse a reply by; a model asked to reflect may still think in its own tags."""
    if own and (mode is not Mode.REFLECT or own.name == "native"):
        return own
    return FAMILIES["any"]


def _is_elsewhere(model: Model) -> bool:
    """Whether a model's server may render its Jinja template with arguments: any server but Ollama."""
    return "num_ctx" in model.unsupported_options


def _switch(model: Model, own: Family | None) -> Switch | None:
    """The switch for thinking in a model's template, if it is not the usual one."""
    if not _is_elsewhere(model):
        return None
    family = own if own is not None and own.name != "native" else family_of_model(model.name)
    from reflectty.reasoning.switches import switch_of

    return switch_of(model.name, family.name if family else "")


def _can_switch_off(model: Model, switch: Switch | None) -> bool:
    """Whether a request can switch off the thinking of a model that its server does not report as thinking.

    Only servers that render Jinja templates accept a switch then; Ollama refuses it.
    """
    return _is_elsewhere(model) and (bool(switch and switch.off) or "enable_thinking" in model.template)


def _think_value_of(mode: Mode, ask_options: AskOptions, *, thinks: bool, can_switch: bool) -> bool | Effort | None:
    """The value of `think`; None for models without the capability, which refuse it."""
    if not thinks:
        return False if can_switch and mode is Mode.DIRECT else None
    return (ask_options.effort or True) if mode is Mode.NATIVE else False


def _system_message_of(mode: Mode, model: Model, ask_options: AskOptions, own: Family | None) -> str:
    """The system message, which includes the model's own because it replaces that on the server."""
    if mode is Mode.REFLECT:
        return _join_paragraphs(
            model.system, ask_options.system, REFLECT_PROMPT, _EFFORT_PROMPTS[ask_options.effort or Effort.MEDIUM]
        )
    if mode is Mode.DIRECT and own and any(tag.opener in model.system for tag in own.thinking if tag.opener):
        return ask_options.system or NEUTRAL_PROMPT
    return _join_paragraphs(model.system, ask_options.system) if ask_options.system else ""


def _plan_notes(mode: Mode, model: Model, ask_options: AskOptions, *, takes_effort: bool) -> Iterable[str]:
    if ask_options.effort and (mode is Mode.DIRECT or (mode is Mode.NATIVE and not takes_effort)):
        yield f"--effort has no effect on {model.name} in mode {mode}"


def pick_model(models: Iterable[Model]) -> Model | None:
    """The best model by a list; None if none can answer."""
    return next(iter(rank_candidates(models)), None)


def rank_candidates(models: Iterable[Model]) -> tuple[Model, ...]:
    """The candidates for the default model, best first.

    The model that the engine picked is first. Models made for reflection rank before those that think, those before
    others, and newer before older; models that the server cannot read are last. Models that cannot answer, or run on
    another host than the server, are excluded.
    """
    candidates = [model for model in models if not (remote_host_of(model) or non_chat_kind_of(model))]
    # A server that reports capabilities has none for a model that it cannot read, but lists it nonetheless.
    reports_capabilities = any("completion" in model.capabilities for model in candidates)

    def rank(model: Model) -> tuple[bool, bool, int, str]:
        return (
            bool(model.selection_reason),
            bool(model.capabilities) or not reports_capabilities,
            _reasoning_rank(model),
            model.modified_at,
        )

    return tuple(sorted(candidates, key=rank, reverse=True))


def non_chat_kind_of(model: Model) -> str:
    """The kind of a model that cannot answer, with its article; empty for one that can.

    A missing `completion` does not suffice: servers that know only some capabilities omit it as well.
    """
    if "completion" in model.capabilities:
        return ""
    return next((what for name, what in _NON_CHAT_KINDS.items() if name in model.capabilities), "")


_NON_CHAT_KINDS = {"embedding": "an embedding model", "image": "an image generation model"}


def selection_reason(model: Model) -> str:
    """The reason, in words, for the rank of the best model of `rank_candidates`."""
    return model.selection_reason or _SELECTION_REASONS[_reasoning_rank(model)]


_SELECTION_REASONS = ("the newest installed model", "a thinking model", "a reflection model")


def _reasoning_rank(model: Model) -> int:
    family = family_of_model(model.name)
    if family is not None and family.reflection:
        return 2
    return 1 if own_family_of(model) else 0
