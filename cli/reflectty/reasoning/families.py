"""The table of model families: the tags with which each marks thinking, reflection and answer.

Sources: the model cards and chat templates of the models named (llama.cpp b10970 has most of the templates); for
openers in templates, the built-in parsers of Ollama 0.32; for glimmer, inkling, k2_horizon, hy, plamo3, longcat,
solar_open2 and ernie45, the reasoning parsers of vLLM 0.33 and SGLang; for budget, LiteLLM's.
"""

from __future__ import annotations

from functools import cache

from reflectty.core.errors import UsageError
from reflectty.core.known_models import family_of
from reflectty.core.named_tuple import NamedTuple


class Tag(NamedTuple):
    """A pair of markers; `opener` is empty if only a closer exists."""

    opener: str
    closer: str


class Family(NamedTuple):
    """The markers of one family of models, and how to read them."""

    name: str
    thinking: tuple[Tag, ...] = ()
    reflection: tuple[Tag, ...] = ()
    answer: tuple[Tag, ...] = ()
    strict: bool = False
    """Thinking opens only at the start or right after a closed block; an unmatched closer elsewhere is text."""
    counts_anywhere: bool = False
    """The markers are tokens of their own that never occur in prose, so they count anywhere."""
    sent_as_text: bool = False
    """Whether servers send the markers although they are tokens of their own, because they are not control tokens."""
    allows_orphan_closers: bool = True
    """Whether a closer without an opener turns the text before it into thinking."""
    prefilled: bool = False
    """Whether the models' templates usually open the thinking, so that a reply starts inside it."""
    has_channels: bool = False
    """Whether messages have headers with a channel or a recipient, as in OpenAI's harmony format."""
    starts_in_header: bool = False
    """Whether a reply begins inside a header that the prompt opened."""
    opener_remnants: tuple[str, ...] = ()
    """What remains of an opener if a server drops its token; counts only at the start of a reply."""
    template_hints: tuple[str, ...] = ()
    """Texts that identify the family in a chat template without the openers."""
    may_skip_thinking: bool = False
    """Whether the models may answer without thinking, so that a reply without markers has lost none."""
    models: tuple[str, ...] = ()
    """Names to suggest for a mistyped one; `known_models` decides which models belong to the family."""


def _ifm_tag(name: str) -> Tag:
    return Tag(f"<ifm|{name}>", f"</ifm|{name}>")


def _xml_tags(*names: str) -> tuple[Tag, ...]:
    return tuple(Tag(f"<{name}>", f"</{name}>") for name in names)


_REFLECTION = Family(
    "reflection",
    # Reflection models sometimes fall back to the tags of other families.
    thinking=_xml_tags("thinking", "think"),
    reflection=_xml_tags("reflection"),
    answer=_xml_tags("output"),
    models=("reflection", "llama-3.2-3b-reflection"),
)

_THINK_MODELS = (
    "deepseek-r1",
    "qwen3",
    "qwq",
    "cogito",
    "openthinker3",
    "phi4-reasoning",
    "phi4-mini-reasoning",
    "smallthinker",
    "smollm3",
    "deepscaler",
    "glm-4.7",
    "lfm2.5-thinking",
    "olmo-3",
    "nemotron-3-nano",
    "kimi-k2-thinking",
    "minimax-m2",
    "exaone-4",
    "r1-1776",
)

FAMILIES: dict[str, Family] = {
    family.name: family
    for family in (
        _REFLECTION,
        Family("think", thinking=_xml_tags("think"), strict=True, models=_THINK_MODELS),
        Family(
            "native",
            thinking=_xml_tags("thinking", "think"),
            reflection=_xml_tags("reflection"),
            answer=_xml_tags("output"),
        ),
        Family(
            "think_answer", thinking=_xml_tags("think"), answer=_xml_tags("answer"), strict=True, models=("hunyuan",)
        ),
        Family(
            "reasoning_answer",
            thinking=_xml_tags("reasoning", "reason"),
            answer=_xml_tags("answer"),
            strict=True,
            models=("phi4-r1",),
        ),
        Family(
            "exaone_deep",
            thinking=_xml_tags("thought"),
            strict=True,
            prefilled=True,
            models=("exaone-deep", "exaonedeep"),
        ),
        Family(
            "marco",
            thinking=(Tag("<Thought>", "</Thought>"),),
            answer=(Tag("<Output>", "</Output>"),),
            models=("marco-o1",),
        ),
        Family(
            "seed_oss", thinking=_xml_tags("seed:think"), counts_anywhere=True, sent_as_text=True, models=("seed-oss",)
        ),
        Family(
            "magistral",
            thinking=(Tag("[THINK]", "[/THINK]"),),
            counts_anywhere=True,
            sent_as_text=True,
            may_skip_thinking=True,
            models=("magistral", "ministral-3"),
        ),
        Family(
            "openthinker",
            thinking=(Tag("<|begin_of_thought|>", "<|end_of_thought|>"),),
            answer=(Tag("<|begin_of_solution|>", "<|end_of_solution|>"),),
            counts_anywhere=True,
            models=("openthinker",),
        ),
        Family(
            "kimi_vl",
            thinking=(Tag("◁think▷", "◁/think▷"),),
            counts_anywhere=True,
            sent_as_text=True,
            models=("kimi-vl",),
        ),
        Family(
            "kimi_k3",
            # SGLang also accepts the closer without its last token.
            thinking=(Tag("<|open|>think<|sep|>", "<|close|>think<|sep|>"), Tag("", "<|close|>think")),
            answer=(Tag("<|open|>response<|sep|>", "<|close|>response<|sep|>"), Tag("", "<|close|>message<|sep|>")),
            counts_anywhere=True,
            template_hints=("open_tag('think')", 'open_tag("think")', "<|open|>think"),
            may_skip_thinking=True,
            models=("kimi-k3",),
        ),
        Family(
            "minimax_m3",
            thinking=_xml_tags("mm:think"),
            counts_anywhere=True,
            sent_as_text=True,
            models=("minimax-m3",),
        ),
        Family(
            "apertus",
            thinking=(Tag("<|inner_prefix|>", "<|inner_suffix|>"),),
            counts_anywhere=True,
            may_skip_thinking=True,
            models=("apertus",),
        ),
        Family(
            "gemma4",
            # The label after the opener belongs to the marker; a channel may have none.
            thinking=(
                Tag("<|channel>thought\n", "<channel|>"),
                Tag("<|channel>thought", "<channel|>"),
                Tag("<|channel>", "<channel|>"),
            ),
            counts_anywhere=True,
            opener_remnants=("thought\n",),
            may_skip_thinking=True,
            models=("gemma4", "gemma-4"),
        ),
        Family(
            "cohere",
            thinking=(Tag("<|START_THINKING|>", "<|END_THINKING|>"),),
            answer=(
                Tag("<|START_TEXT|>", "<|END_TEXT|>"),
                Tag("<|START_RESPONSE|>", "<|END_RESPONSE|>"),
                Tag("", "<|END_OF_TURN_TOKEN|>"),
            ),
            counts_anywhere=True,
            prefilled=True,
            template_hints=("<|START_THINKING|>",),
            may_skip_thinking=True,
            models=("command-a-reasoning", "command-r-reasoning"),
        ),
        Family(
            "granite32",
            thinking=(
                Tag("Here is my thought process:", "Here is my response:"),
                Tag("Here's my thought process:", "Here's my response:"),
            ),
            strict=True,
            allows_orphan_closers=False,
            may_skip_thinking=True,
            models=("granite3.2",),
        ),
        Family(
            "granite33",
            thinking=_xml_tags("think"),
            answer=_xml_tags("response"),
            strict=True,
            may_skip_thinking=True,
            models=("granite3.3",),
        ),
        Family(
            "ernie45", thinking=_xml_tags("think"), answer=_xml_tags("response"), strict=True, models=("ernie-4.5",)
        ),
        Family(
            "solar_open",
            thinking=(Tag("<|think|>", "<|end|>"),),
            answer=(Tag("<|begin|>assistant<|content|>", "<|end|>"),),
            counts_anywhere=True,
            models=("solar-open",),
        ),
        Family(
            "solar_open2",
            thinking=(Tag("<|think:start|>", "<|think:end|>"),),
            counts_anywhere=True,
            prefilled=True,
            models=("solar-open-2",),
        ),
        Family(
            "harmony",
            has_channels=True,
            counts_anywhere=True,
            template_hints=("<|channel|>analysis",),
            models=("gpt-oss",),
        ),
        Family(
            "glimmer",
            has_channels=True,
            starts_in_header=True,
            counts_anywhere=True,
            template_hints=("to=self<|message|>",),
            may_skip_thinking=True,
            models=("muse-glimmer", "glimmer"),
        ),
        Family(
            "inkling",
            # One token ends messages of every kind.
            thinking=(Tag("<|content_thinking|>", "<|end_message|>"),),
            answer=(
                Tag("<|content_text|>", "<|end_message|>"),
                Tag("", "<|content_model_end_sampling|>"),
                Tag("", "<|message_model|>"),
            ),
            counts_anywhere=True,
            allows_orphan_closers=False,
            template_hints=("<|content_thinking|>",),
            may_skip_thinking=True,
            models=("inkling",),
        ),
        Family(
            "k2_horizon",
            # One opener per effort.
            thinking=(*map(_ifm_tag, ("think", "think_fast", "think_faster")),),
            counts_anywhere=True,
            prefilled=True,
            models=("k2-horizon",),
        ),
        Family(
            "hy",
            # The name of the checkpoint follows the colon, if there is one.
            thinking=(Tag("<think:*>", "</think:*>"), *_xml_tags("think")),
            counts_anywhere=True,
            template_hints=("<think:", "<think{}>"),
            may_skip_thinking=True,
            models=("hy3", "hy4"),
        ),
        Family(
            "plamo3",
            thinking=(Tag("<|plamo:begin_think:plamo|>", "<|plamo:end_think:plamo|>"),),
            counts_anywhere=True,
            models=("plamo-3",),
        ),
        Family(
            "apriel",
            # The prompt opens the thinking, in words that occur in prose.
            thinking=(Tag("", "[BEGIN FINAL RESPONSE]"),),
            answer=(Tag("", "[END FINAL RESPONSE]"), Tag("", "<|end|>")),
            counts_anywhere=True,
            prefilled=True,
            template_hints=("[BEGIN FINAL RESPONSE]",),
            models=("apriel",),
        ),
        Family(
            "longcat",
            thinking=_xml_tags("longcat_think"),
            counts_anywhere=True,
            prefilled=True,
            models=("longcat-flash-thinking",),
        ),
        Family("budget", thinking=_xml_tags("budget:thinking"), strict=True),
        Family("any"),
        Family("none"),
    )
}

HEADERS_WITHOUT_TOKENS = ("assistantanalysis", "assistantcommentary", "assistantfinal", "analysis")
"""What remains of harmony's headers if a server drops the tokens, as seen by SGLang; the last begins a reply."""
HARMONY_APART = FAMILIES["native"]._replace(opener_remnants=HEADERS_WITHOUT_TOKENS)
"""For harmony models whose server separates the thinking: the content is the answer, unless the server drops the
tokens and so separates nothing."""

THINKING_FIELD_FAMILY = Family(
    "field", thinking=_xml_tags("thinking", "think"), reflection=_xml_tags("reflection"), allows_orphan_closers=False
)
"""For the text of Ollama's `thinking` field, in which only corrections are searched for."""


def has_plain_text_markers(family: Family) -> bool:
    """Whether the markers reach the content: tokens of their own are lost if the server's parser is bypassed."""
    return bool(family.thinking) and (family.sent_as_text or not family.counts_anywhere)


@cache
def list_plain_openers() -> tuple[str, ...]:
    """The openers of thinking that are plain text, longest first."""
    openers = {
        tag.opener.rstrip() for family in FAMILIES.values() if has_plain_text_markers(family) for tag in family.thinking
    }
    return tuple(sorted(filter(None, openers), key=len, reverse=True))


def find_opener(prompt: str, reply_start: str = "") -> str:
    """The opener of thinking that ends a prompt or begins its reply; empty if there is none."""
    end, start = prompt.rstrip(), reply_start.lstrip()
    return next((one for one in list_plain_openers() if end.endswith(one) or start.startswith(one)), "")


def tags_at(text: str) -> tuple[Tag, ...]:
    """The tags whose opener begins a text, as written there, longest first.

    An opener may begin with a shorter one; one with a star has a name in its place.
    """
    tags = (tag for family in FAMILIES.values() for tag in family.thinking)
    unique = dict.fromkeys(written for tag in tags if (written := _as_written(tag, text)))
    return tuple(sorted(unique, key=lambda tag: len(tag.opener), reverse=True))


def _as_written(tag: Tag, text: str) -> Tag | None:
    start, star, end = tag.opener.rstrip().partition("*")
    if not start or not text.startswith(start):
        return None
    if not star:
        return Tag(start, tag.closer)
    name, closed, _ = text[len(start) :].partition(end)
    return Tag(start + name + end, tag.closer.replace("*", name)) if closed and _is_name(name) else None


def ends_in(tag: Tag, text: str) -> bool:
    """Whether a text ends in the opener of a tag, which may have a name in place of a star."""
    start, star, end = tag.opener.rstrip().partition("*")
    if not star:
        return bool(start) and text.endswith(start)
    name = text.removesuffix(end).rpartition(start)[2]
    return text.endswith(f"{start}{name}{end}") and _is_name(name)


def _is_name(text: str) -> bool:
    return text.replace("_", "x").isalnum()


def family_named(name: str) -> Family:
    """The family of that name.

    Raises:
        UsageError: there is none; the hint lists the names.
    """
    if name not in FAMILIES:
        raise UsageError(f"there is no family {name!r}", f"the families are {', '.join(FAMILIES)}")
    return FAMILIES[name]


def family_of_model(name: str) -> Family | None:
    """The family of a model by its name, or None for an unknown name."""
    family_name = family_of(name)
    return FAMILIES[family_name] if family_name else None
