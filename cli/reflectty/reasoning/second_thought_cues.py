"""The words that open a second thought, by language; a language more is a table more.

Patterns meet a sentence in lower case, with straight apostrophes, without the marks of lists, headings and emphasis.
The first row that matches decides.
"""

from __future__ import annotations

import re
from enum import Flag, auto

from reflectty.core.named_tuple import NamedTuple
from reflectty.core.segments import SecondThoughtKind


class Place(Flag):
    """Where a sentence stands; a cue may count in some places only."""

    LATER = auto()
    """After the first three sentences, which read the task."""
    PARAGRAPH = auto()
    """At the start of a paragraph."""
    AFTER_CORRECTION = auto()
    AFTER_CHECK = auto()
    AFTER_ALTERNATIVE = auto()
    AFTER_QUESTION = auto()
    """Right after a question."""


class Cue(NamedTuple):
    """Patterns of an opening: its kind, or none where the sentence goes straight on, and whether it is sure."""

    kind: SecondThoughtKind | None
    is_sure: bool
    pattern: re.Pattern[str]
    anywhere_of: Place
    """One of these must hold, if any is named."""
    never_in: Place


_CORRECTION, _CHECK, _ALTERNATIVE = SecondThoughtKind
_NOWHERE = Place(0)
_MOVED_ON = Place.PARAGRAPH | Place.AFTER_CORRECTION | Place.AFTER_CHECK | Place.AFTER_ALTERNATIVE


def _cue(
    kind: SecondThoughtKind | None, *patterns: str, sure: bool = False, where: Place = _NOWHERE, never: Place = _NOWHERE
) -> Cue:
    return Cue(kind, sure, re.compile("|".join(patterns)), where, never)


_LEAD = r"(?:(?:oh|ah|aha|uh|hm+|ok|okay|yes|yeah|right|well|and|so|also|now|then|again|true|sorry|still)\b[\s,.:;!?…—–-]*)*"
_BUT = r"(?:(?:but|however|though|yet)\b[\s,.:…—–-]*)?"
_WAIT = (
    rf"{_LEAD}{_BUT}{_LEAD}(?:no[\s,.!—–-]+)?(?:wait(?: a (?:second|sec|minute|moment|bit))?|hold on|hang on|one moment)"
    r"(?:[\s]*[,.:;!?…—–-]+\s*|\s+(?=(?:no|that|this|but|maybe|perhaps|if|is|what|how|why|actually|let|i|the|it)\b))"
    rf"{_LEAD}{_BUT}{_LEAD}(?:wait[\s,.!…—–-]+)?"
)
_LET_ME = (
    r"(?:let me|let's|lets|let us)(?: (?:just|quickly|also|now|first|try to|carefully|briefly|actually|go back and))*"
)
_I_SHOULD = (
    r"(?:i|we)(?:'d better|'ll| should| need to| must| have to| want to| can| could| will| might)"
    r"(?: (?:just|also|quickly|probably|perhaps|still))*"
)
_AGAIN = r"double[- ]?check|re-?check|cross-?check|re-?verify|re-?examine|re-?read|re-?calculate|re-?compute|re-?count|re-?evaluate|re-?consider|re-?visit|re-?think|sanity[- ]check|triple[- ]check"
_VERIFY = rf"{_AGAIN}|verify|confirm|validate|make sure|be sure"
_TASK = r"(?:problem|question|riddle|puzzle|user|wording|prompt|statement|original|instruction|instructions|task|text|phrase|phrasing|rules?|game|spec|specification)"
_WAY = r"(?:way|approach|angle|idea|possibility|method|option|thought|interpretation|reading|explanation|solution|answer|view|perspective|route|strategy|candidate|scenario|take|guess|alternative|possible)"
_FAULT = r"(?:trick|catch|missing|mistake|wrong|misread|misreading|misunderst\w+|misinterpret\w*|overthinking|overcomplicat\w*|confus\w+|error|contradiction|too (?:trivial|simple|easy|obvious|vague))"
_NOT = r"(?:not|n't|cannot)"
_ONCE_MORE = r"(?:again|once more|once again|one (?:more|last|final) time)"
_TROUBLE = r"(?:subtlety|catch|issue|concern|caveat|snag|complication|wrinkle|worry)"
_BAD = r"(?:trivial|speculative|odd|strange|weird|suspicious|unclear|ambiguous|unlikely|impossible|wrong|incorrect|tricky|circular|inconsistent|contradictory|a stretch|problematic)"
_MESSY = r"(?:messy|complicated|confusing|long|complex|nowhere|out of hand|convoluted|tedious)"

ENGLISH_OPENING = (
    # What looks like a turn and is none.
    _cue(
        None,
        rf"{_WAIT}(?:right|this (?:is|seems|looks|sounds) (?:like|similar|a classic|familiar))\b",
        rf"{_WAIT}(?:i (?:think i|remember|recall|see|get it)|so|when|let's (?:break|adjust|define|start|set|list|formal))\b",
        r"actually (?:quite|pretty|very|rather)\b",
    ),
    # Wait, and what the words after it say.
    _cue(
        _CHECK,
        rf"{_WAIT}(?:actually[\s,—–-]+)?(?:(?:{_LET_ME}|{_I_SHOULD}) (?:\w+ )?)?(?:{_VERIFY}|check|read|look|parse|review)\b",
        sure=True,
    ),
    _cue(
        _CORRECTION,
        rf"{_WAIT}(?:no\b|nope|that|this|actually(?!\W+hm)|not\b|hold|i (?:made|mis|forgot|was|think i (?:made|mis)))",
        sure=True,
    ),
    # Checks.
    # Only a look back, and none that is sure.
    _cue(_CORRECTION, rf"{_LEAD}{_BUT}actually[\s,—–-]+{_LET_ME} (?:reconsider|rethink|re-?evaluate)\b"),
    _cue(_CHECK, rf"{_LEAD}{_BUT}{_LEAD}{_LET_ME} (?:reconsider|rethink|re-?evaluate)\b", where=Place.LATER),
    _cue(_CHECK, rf"{_LEAD}{_BUT}{_LEAD}{_LET_ME} (?:[\w-]+ ){{0,3}}?(?:{_VERIFY})\b", sure=True, where=Place.LATER),
    # Alternatives.
    _cue(
        _ALTERNATIVE,
        rf"{_LEAD}{_BUT}(?:another|an alternative) (?:\w+ )?{_WAY}\b",
        rf"{_LEAD}{_BUT}alternatively,? (?!.*\b(?:my|i (?:made|mis|was))\b)",
        sure=True,
    ),
    _cue(
        _ALTERNATIVE,
        rf"{_LEAD}{_BUT}{_LET_ME} (?:try|consider) (?:another|a different|an? alternative)",
        rf"{_LEAD}{_BUT}{_LET_ME} (?:think|approach|look) .*(?:differently|another way|different)",
        sure=True,
        where=Place.LATER,
    ),
    # Corrections.
    _cue(
        _CORRECTION,
        rf"{_LEAD}(?:i think )?(?:i|i've|we) (?:made|have made|might have made|may have made|must have made) (?:a|an) (?:\w+ )?(?:mistake|error)",
        rf"{_LEAD}(?:scratch that|my mistake|oops|no wait|that(?:'s| is| was) (?:wrong|incorrect|a mistake)|on second thought)\b",
        rf"{_LEAD}i (?:misread|miscalculated|miscounted|misunderstood|misinterpreted)\b",
        sure=True,
    ),
)
"""Openings of English, met by the first five words."""

ENGLISH_WHOLE = (
    _cue(
        _CORRECTION,
        rf"{_LEAD}{_BUT}(?:wait[\s,…—–-]+)?(?:actually[\s,—–-]+)?(?:maybe|perhaps) i (?:need to|should) (?:be (?:more )?careful|reconsider|rethink)\b",
    ),
    _cue(_CHECK, rf"{_WAIT}(?:just )?one (?:more|last) \w+", rf"{_WAIT}(?:looking at|{_I_SHOULD} ensure)\b"),
    _cue(
        _ALTERNATIVE,
        rf"{_WAIT}(?:there (?:might|may|could) be|{_I_SHOULD} consider (?:the possibility|whether|if))\b",
    ),
    # Wait, without a word that tells at once.
    _cue(
        _CHECK,
        rf"{_WAIT}(?:(?:maybe|perhaps) )?(?:{_LET_ME}|{_I_SHOULD}) (?:\w+ )?(?:{_VERIFY}|check|see|think|read|look|go|test)\b",
    ),
    _cue(
        _CORRECTION,
        rf"{_WAIT}(?:maybe|perhaps) (?:\w+ )?(?:there's|i'm|i|there is|there might be|the) .{{0,20}}\b{_FAULT}",
    ),
    _cue(_CORRECTION, rf"{_LEAD}but wait[\s,.!…—–-]+(?:could|might|what if)\b"),
    _cue(
        _ALTERNATIVE,
        rf"{_WAIT}(?:maybe|perhaps|possibly) (?:it|they|the answer|this|we|the \w+ is)\b(?!.{{0,40}}{_NOT}\b)",
        rf"{_WAIT}(?:alternatively|another|or (?:maybe|perhaps)|what if)\b",
        sure=True,
    ),
    _cue(
        _ALTERNATIVE,
        rf"{_WAIT}(?:maybe|perhaps|possibly|or\b|here's (?:a|another)|there's another|what about|how about|could it be)",
    ),
    _cue(
        _CHECK,
        rf"{_WAIT}(?:is (?:this|that|it) (?:right|correct|true|valid|possible)|does (?:this|that|it) (?:work|make|hold))",
        rf"{_WAIT}(?:did i|am i|have i|was (?:it|that)|(?:is|are) there)\b",
        rf"{_WAIT}.*✓\W*$",
    ),
    _cue(_ALTERNATIVE, rf"{_WAIT}(?:could|might) .*\?$"),
    _cue(_CORRECTION, rf"{_LEAD}but wait[\s,.!…—–-]+the {_TASK}"),
    _cue(_CHECK, rf"{_WAIT}(?:they (?:said|say)|(?:the|this) (?:\w+ )?{_TASK}\b)"),
    _cue(_CORRECTION, _WAIT),
    # Checks.
    _cue(
        _CHECK,
        rf"{_LEAD}{_BUT}{_LEAD}{_LET_ME} (?:check|validate|review|test (?:this|that|it|the|with)|prove|read|plug)\b",
        rf"{_LEAD}{_BUT}{_LEAD}{_LET_ME} (?:look (?:at .*)?again|think (?:\w+ )*again|see (?:if|whether)|(?:try to )?parse .*again)\b",
        rf"{_LEAD}{_BUT}{_LEAD}{_LET_ME} (?:go (?:back|over|through)|see the|try to parse|scrutinize|inspect)\b",
        rf"{_LEAD}{_BUT}{_LEAD}{_LET_ME} (?!try|start).*\b{_ONCE_MORE}\b",
        rf"{_LEAD}but {_LEAD}(?:{_LET_ME}) (?:see|look|think)\b",
        rf"{_LEAD}{_BUT}(?:perhaps |maybe )?{_I_SHOULD} (?:\w+ )?(?:{_AGAIN}|verify|confirm|consider if)\b",
        rf"{_LEAD}but {_LEAD}{_I_SHOULD} (?:check|make sure|be sure|ensure)\b",
        rf"{_LEAD}{_BUT}just to (?:be (?:sure|safe|thorough|certain|clear)|make sure|double|verify|confirm|check)",
        rf"{_LEAD}{_BUT}to (?:double[- ]?check|verify|confirm|make sure)\b",
        rf"{_LEAD}{_BUT}(?:is|was) (?:this|that|it|my \w+) (?:right|correct|valid|really true|consistent)\b",
        rf"{_LEAD}{_BUT}(?:does|did) (?:this|that|it) (?:make sense|work|check out|hold|add up)\b",
        rf"{_LEAD}{_BUT}(?:is|are|could|might) there (?:be )?(?:any|some|ambiguity|another|other|more|(?:a|an) (?:trick|catch|chance|hidden|error|mistake))(?:thing)?\b",
        rf"{_LEAD}{_BUT}(?:is|are) (?:it|this|that|they|these) [^?]* or [^?]*\?$",
        r"hm+\W+(?:is|are|does|do|did|was|were|will|would) .*\?$",
        r".{0,80}[,:—–-] (?:is|are|does) (?:that|it|this) (?:\w+ )?(?:guaranteed|right|correct|true|valid|ok(?:ay)?|fine|safe|consistent|enough|allowed)\?$",
        rf"{_LEAD}{_BUT}(?:am|did|have) i (?:miss|forget|overlook|make|misread|consider|account)\w*",
        rf"{_LEAD}{_BUT}(?:i want|i'd like|i would like|it's worth|it is worth|time) to (?:{_VERIFY})\b",
        rf"{_LEAD}{_BUT}{_LET_ME} (?:count|plug|substitute|test|do a (?:quick |sanity )?check|run a check)\b.*\b(?:again|back|check|sure|verify)\b",
        r"(?:(?!then|perform|add)[\w-]+ )?(?:verification|(?:[\w-]+-)?check|validation|re-?check|checking)(?: \d+| of [\w ]+)?(?: \([^)]*\))? ?(?:[:—–]|\*\*)",
        r"(?:final|last|quick|another|one (?:more|last|final)) (?:\w+ )?(?:check|verification|sanity check|review)\b",
        rf"(?:{_AGAIN}) ",
        rf"(?:(?:now|also|so|i|we)[,]? )?(?:need|must|should|better|have)(?: to)? (?:{_AGAIN}|verify|confirm)\b",
        rf"(?:check|look|verif|re-?read|re-?check|re-?examin|review)\w*ing? .*\b{_ONCE_MORE}\b",
        r"look (?:(?:very|more) )?(?:carefully|closely) at\b",
        r"also,? .*\?$",
        r"(?:another|one (?:more|last|other|minor|small|final)|(?:a|the) (?:last|minor|small|final)) (?:thing|detail|point|question|consideration|aspect)(?: to \w+)? ?[:—–]",
        rf"(?:{_AGAIN}|verify|verifying|check|confirm|checking|double-checking) (?:the|this|that|my|if|whether|against|with|by|again|once)\b",
        r"review against",
        r"(?:check|look|search|scan|test) (?:for|again)\b",
        r"(?:final|last) confirmation\b",
        r"(?:verify|validate|check|confirm) (?:\w+ )?(?:constraints?|requirements?|result|answer|logic|format|conditions?|wording|claim|calculations?)\b",
        rf"{_LEAD}but first,? {_I_SHOULD} (?:\w+ )?(?:check|verify|confirm)\b",
        r"actually,? looking at\b",
        r"also,? (?:i|we) (?:should|need to|must|have to) (?:\w+ )?(?:check|verify|confirm|test)\b",
        r"also,? check\b",
        rf"{_LEAD}(?:but )?before (?:we|i) (?:finalize|finish|answer|conclude|commit|write|submit)\b",
        rf"{_LEAD}but {_LET_ME} ensure\b",
        rf"{_LEAD}(?:actually[\s,—–-]+)?(?:re-?reading|re-?checking|looking (?:again|back|closer|more closely)|on (?:closer|a closer|second) (?:look|reading|inspection))\b",
        rf"{_LEAD}but (?:we|i) (?:must|need to|should|have to) be careful ?[:,—–-] ?(?:is|are|does|do|could)\b",
        r"i(?:'m| am) (?:also |now |still )?(?:wondering (?:if|whether)|double-checking|verifying|re-?checking|re-?reading)\b",
        rf"{_LEAD}{_BUT}how did (?:i|we) (?:get|come|arrive)\b",
        where=Place.LATER,
    ),
    # Alternatives.
    _cue(_CORRECTION, rf"{_LEAD}{_BUT}alternatively,? .*\b(?:my|i (?:made|mis|was))\b"),
    _cue(_ALTERNATIVE, rf"{_LEAD}{_BUT}alternatively\b"),
    _cue(_ALTERNATIVE, rf"{_LEAD}{_BUT}or,? (?:maybe|perhaps|possibly)\b", sure=True, where=Place.LATER),
    _cue(_CORRECTION, rf"{_LEAD}but (?:maybe|perhaps) .*too (?:trivial|simple|easy|obvious|vague)\b"),
    _cue(None, r"(?:but )?(?:maybe|perhaps|possibly) .*\b(?:misinterpret|typo|i can\b|i could\b)"),
    _cue(
        _CORRECTION,
        rf"{_LEAD}{_BUT}(?:maybe|perhaps) .*\b{_FAULT}",
        rf"{_LEAD}but (?:maybe|perhaps) (?:the {_TASK} is different)",
        where=_MOVED_ON,
    ),
    _cue(
        _ALTERNATIVE,
        rf"{_LEAD}(?:but|and)[\s,—–-]+(?:then )?(?:maybe|perhaps|possibly|could it|what if|instead)\b",
        r"hm+[\s,.…—–-]+what if\b",
        rf"{_LEAD}{_BUT}{_LET_ME} (?:try|consider|explore|examine|think about|look at|use) (?:yet )?(?:a |an |the |some )?(?:\S+ )?(?:completely |totally |entirely |very )?(?:different|another|other|alternative|alternate|simpler|cleaner|possibility|interpretation|opposite)\b",
        rf"{_LEAD}{_BUT}{_LET_ME} (?:try|consider) the .{{1,30}}\b{_WAY}\b",
        rf"{_LEAD}{_BUT}{_LET_ME} (?:try to )?(?:think|approach|look|work|reason|start) .*\bfrom (?:a|an|the) (?:\w+ )?(?:answer|end|angle|perspective|side|other|opposite)\b",
        rf"{_LEAD}{_BUT}{_LET_ME} (?:take a )?step back\b",
        r"(?:could|might|can) also\b",
        r"or(?::|,| if| (?:\S+ )?= ?| use\b| just\b| simply\b| we\b| i\b| better\b)",
        rf"{_LEAD}{_BUT}(?:a|here's a|here is a|there's a) (?:completely |very )?different {_WAY}",
        rf"{_LEAD}{_BUT}(?:here's|here is|there's|there is) (?:a|another) (?:\w+ )?{_WAY}\b",
        rf"{_LEAD}{_BUT}(?:on the other hand|conversely), (?:maybe|perhaps|if)",
        rf"{_LEAD}{_BUT}{_LET_ME} (?:reason|think|approach|attack|view) .*\b(?:another|different|differently)\b",
        r"(?:actually,? )?(?:simpler|better|easier|cleaner|better yet|even better)\b ?[:,—–]",
        rf"{_LEAD}actually[\s,—–-]+(?:simpler|maybe|perhaps|a better|another|an alternative|(?:we|i|one) could|let me (?:think|try|consider))",
        r"actually,(?! (?:i|the (?:issue|problem))\b).{1,80}\b(?:might be|could be|there's a possibility)\b",
        rf"{_LEAD}alternatives?(?: \w+)? ?:",
        rf"{_LEAD}(?:the )?(?:simplest|cleanest|safest|easiest) (?:\w+ )?(?:{_WAY}|option|fix)\b",
        r"unless[:,] ",
        r"there (?:might|may|could) be (?:other|another|more|multiple)\b",
        r"possibly,",
        rf"{_LEAD}(?:we|i) could (?:try|also|instead|propose|use|consider|offer|start|go)\b.*",
        rf"{_LEAD}(?:but )?what if (?:instead|we|i|you|he|she|they|it|it's|the answer)\b(?!.*\b(?:exist|missing|empty|null|nested|invalid))",
        rf"{_LEAD}(?:i|we) could also\b",
        rf"{_LEAD}(?:one more|yet another|one other) {_WAY}\b",
        rf"{_LEAD}{_BUT}(?:what about|how about)\b.*\?$",
        rf"{_LEAD}{_BUT}(?:suppose|what|if|assume|say) instead\b",
        rf"{_LEAD}{_BUT}unless (?:i|we|they|it|the {_TASK}|maybe|perhaps|there)\b",
        rf"{_LEAD}{_LET_ME} (?:say|try),? (?:instead|something)",
        r"instead,",
        where=Place.LATER,
    ),
    _cue(_ALTERNATIVE, rf"{_LEAD}could it (?:also )?be\b", where=Place.LATER, never=Place.AFTER_CHECK),
    _cue(_ALTERNATIVE, r"(?:hm+[\s,.…]+|oh[\s,]+)?(?:maybe|perhaps|possibly) \S+ \S", where=_MOVED_ON),
    # Corrections.
    _cue(
        _CORRECTION,
        r"(?:self-)?correction ?[:—–]",
        rf"{_LEAD}(?:then again|come to think of it)\b",
        rf"{_LEAD}{_BUT}(?:maybe |perhaps |i think )?i(?:'m| am| was| might be| may be| could be| must be)(?: \w+)? (?:missing|misunderstanding|misreading|misinterpreting|mistaken|wrong|confusing|mixing|forgetting)\b",
        rf"{_LEAD}{_BUT}something(?:'s| is| seems| must be) (?:off|wrong|not right|missing)\b",
        rf"{_LEAD}{_LET_ME} (?:start over|start again|backtrack|back up|fix|correct|undo|revise)\b",
        r"hm+[\s,.…]+but\b(?! if)",
        r"(?:(?:hm+|oh|no|but|and|well|ah|ok|okay)[\s,.…]+)*actually(?: ?[,:;…—–-]| (?:i|we|it|the|that|this|they|there|if|is|no|wait|my|maybe)\b)",
        rf"{_LEAD}{_BUT}(?:i|i'm|we|we're|this|it)(?: am|'m| are|'re| is|'s)?(?: probably| just| getting| now| really)* (?:overcomplicat|overthink|stuck|confus|going in circles|getting (?:messy|complicated|confus|nowhere)|mistaken|wrong\b)",
        rf"{_LEAD}(?:messy|useless|not (?:quite|right|helpful|good|enough|possible)|still (?:not|no|wrong|off|underdetermined|{_BAD})\b|doesn't (?:work|fit|help|match|add up))",
        rf"{_LEAD}{_BUT}(?:this|that|it)(?:'s| is)(?: now)? (?:(?:getting|becoming|starting to get|gets) (?:(?:very|really|too|quite|so|a bit|rather|pretty) )?(?:{_MESSY}|deep|absurd|ridiculous)|too {_MESSY})\b",
        rf"{_LEAD}{_BUT}(?:i'm|i am|we're|we are) (?:\w+ )?(?:stuck|going in circles|overcomplicating|overthinking)\b",
        rf"{_LEAD}still, (?:this|that|it|there)\b.{{1,20}}\b{_BAD}\b",
        r"(?:that|this|the|my) (?:\w+ )?(?:edit|change|fix|approach|attempt|step|command|query|idea) (?:was|is) (?:wrong|broken|bad|incorrect)\b",
        r"(?:that|this)(?:'s| is| was) (?:broken|inconsistent|absurd|circular)\b",
        r"(?:ugh|argh|nah|yikes|you know what)\b",
        r"(?:too )?(?:risky|overkill|hacky|fragile|brittle|ugly)\b",
        rf"{_LEAD}but (?:careful\b|(?:we|i) (?:must|need to|should|have to) be careful\b)",
        r"i(?:'m| am) (?:also |now )?(?:reconsidering|rethinking|second-guessing|questioning|doubting)\b",
        r".{0,60}[—–,:] ?i(?:'m| am) (?:probably )?over(?:thinking|complicating)\b",
        r"(?:actually|however),? honestly,",
        rf"{_LEAD}but then (?!maybe|perhaps|if|we|\").*\b(?:must|should|can't|cannot|wouldn't|would|inconsistent)\b",
        rf"{_LEAD}but (?:the|this) (?:\w+ )?{_TASK} (?:claims|insists|requires|expects|starts with)\b",
        r"(?:this|that|which) is (?:clearly )?an? (?:contradiction|problem|mistake|error)\b",
        r".{0,60}\b(?:i'm|i am|i must be|i must have|i might be|i may be|i've) (?:making|made|doing) (?:an? |some|something )(?:\w+ )?(?:error|mistake|wrong)",
        r".{0,40}\bmy (?:\w+ ){1,3}(?:is|was|must be|seems) (?:wrong|off|incorrect|flawed)\b",
        rf"{_LEAD}but (?:they|the {_TASK}) (?:also|only) \w+",
        rf"{_LEAD}but[\s,—–-]+(?:a|one|the|there's (?:a|one)|there is (?:a|one)|here's (?:a|the)) (?:\w+ )?{_TROUBLE}\b",
        rf"hm+\W+(?:that|this|it)(?:'s| is| seems| looks) (?:\S+ ){{0,4}}{_BAD}\b",
        rf"{_LEAD}but (?:.{{1,40}} )?(?:is|seems|looks|feels|would be|are) (?:\w+ )?{_BAD}[.!]?$",
        rf"{_LEAD}but .{{1,30}} should be -?\$?\d",
        r"too (?:many|few|long|short|large|small|high|low|big|much|little|early|late)\b.{0,20}[.!]$",
        r"(?:contradiction|impossible|fails|failed|not equal|wrong|incorrect)[.!]$",
        rf"{_LEAD}there(?:'s| is| must be| seems to be) (?:a|an|some) (?:mistake|error|contradiction|discrepancy|problem with)",
        r"(?:identifying the|correcting|re-?evaluating|reconsidering|rethinking|refinement|correcting course)\b",
        r"(?:i've|i have) (?:re-?\w+|realized|hit a snag|noticed)\b",
    ),
    _cue(_CORRECTION, r"(?:(?:hm+|oh|ah|but|well)[\s,.…]+)*no ?[,.!—–](?: |$)", r"nope\b", never=Place.AFTER_QUESTION),
    _cue(
        _CORRECTION,
        rf"{_LEAD}{_BUT}(?:that|this|it) (?:doesn't|does not|can't|cannot) (?:make (?:any )?sense|work|help|be right|fit)\b",
        never=Place.AFTER_CORRECTION,
    ),
    _cue(
        _CORRECTION,
        rf"{_LEAD}{_BUT}(?:that|this)(?:'s| is| was| does| can| would| did| seems?| looks| feels| sounds| won)?(?:{_NOT}| not| too| odd| wrong| off| weird| strange| incorrect| impossible| contradict)",
        rf"{_LEAD}{_BUT}(?:that|this) (?:contradicts|fails|breaks|still|only gives|would contradict|violates|conflicts)\b",
        never=Place.AFTER_CORRECTION | Place.AFTER_QUESTION,
        where=Place.LATER,
    ),
    _cue(
        _CORRECTION,
        rf"{_LEAD}but (?!if|since|for\b|each|when|then|because|here|in (?:this|that) case, )",
        where=Place.AFTER_ALTERNATIVE,
    ),
    _cue(
        _CORRECTION,
        rf"{_LEAD}but (?:no\b|not\b|also \"|without\b)",
        rf"{_LEAD}but (?:that|this) (?:would|requires|leaves|seems|might|may|can|could)\b",
        rf"{_LEAD}but (?:that|this)(?:'s| is| means)\b",
        rf"{_LEAD}but (?:the|this) (?:\w+ )?{_TASK}(?: wording)? (?:says|said|states \"|is \"|wants|asks|asked|mentions|mentioned)\b",
        rf"{_LEAD}but (?:(?:we|they) )?(?:must|need|want|said|asked)\b(?! also)",
        rf"{_LEAD}but (?:(?:then,? )?why|(?:then,? )?what about|how come|how (?:could|can|would|does (?:that|this)|is (?:that|this)))\b",
        rf"{_LEAD}(?:however|but),? some might",
        rf"{_LEAD}but (?:does|do|did|can|could|would|will|are|is|was|were|should|has|have) .*\?$",
        rf"{_LEAD}but (?:the|this|that|our|my|their) {_TASK} (?:for|of|about|in) .*",
        rf"{_LEAD}but (?:we|i) (?:only )?have (?:only|no)\b",
        rf"{_LEAD}but (?:that|this|the) (?:last|first|second|same) .*\b(?:is|gives|was|means)\b",
        rf"{_LEAD}but (?:here|now|there),? (?:my|our|the|we|i|it)\b.*{_NOT}",
        r"however, (?:i (?:should|might|need|can't|don't|am)|sometimes|maybe|what if)\b",
        rf"{_LEAD}so why is\b",
        rf"{_LEAD}but (?!if|since|the {_TASK}|user|it'?s? only).{{1,50}}(?: not | no |n't |cannot )(?!.*(?:specif|state|mention|need|have to)).{{1,40}}$",
        where=Place.LATER,
        never=Place.AFTER_CORRECTION,
    ),
    # Turns inside the sentence.
    _cue(
        _CORRECTION,
        r"(?!\|).*[.,;:—–(…][\s]*(?:but |oh |no,? )?(?:wait\b(?! (?:for|until))|hold on|no,? that|scratch that)",
    ),
    _cue(
        _CORRECTION,
        r"(?!\|).*[.,;:—–(…] ?actually,",
        r"(?!\|).*[—–…] ?(?:but |hm+,? )?actually (?:they|it|the|that|this|i|we|no)\b",
        r"(?:that|this|it|which|so that|so it)\b.{0,30}\b(?:gives|measures|leaves|makes|is|only gives)\b.{0,30}, not \S+$",
        r".{0,40}\b(?:is|was) (?:wrong|incorrect|impossible|a mistake)[.!]?$",
        where=Place.LATER,
    ),
    _cue(
        _ALTERNATIVE,
        r"(?:maybe|perhaps|possibly)\b.{5,160}\bbut (?:no\b|not|that|i don|seems|unlikely)",
        where=Place.LATER,
    ),
    _cue(_ALTERNATIVE, r"or (?!do|is|are|was|if)\S.{1,40}\?$", where=Place.LATER),
)
"""Openings that need the whole sentence, and turns inside it."""

ENGLISH_INTERJECTION = re.compile(
    r"(?=.*\b(?:wait|hold on|hang on))"
    r"(?:[\W_]*\b(?:but|oh|ah|aha|hm+|ok|okay|no|wait|hold on|hang on|wait a (?:minute|second|moment))\b[\W_]*)+"
)
"""A sentence that only calls for the next one, which gives its kind; a correction if that has no cue."""
DENIAL = re.compile(r"\W*(?:but |oh,? )?(?:wait[\W_]+no|no[\W_]+wait)\b")
"""An interjection that is a correction by itself."""

GERMAN = (
    _cue(
        _CHECK,
        r"(?:aber |also |nun |ok,? |warte,? )*(?:ich (?:sollte|muss|will|prüfe)|lass mich|lasst uns|prüfen wir|noch ?(?:ein)?mal)\b.{0,60}(?:prüf|überprüf|bestätig|kontrollier|nachrechn|nachles|durchgeh|sicher ?(?:gehen|stell))",
        r"(?:stimmt|passt) das\b",
        r"zur sicherheit\b",
        where=Place.LATER,
    ),
    _cue(
        _ALTERNATIVE,
        r"(?:aber |warte,? )*(?:alternativ\b|oder vielleicht|(?:ein|eine|einen) andere[rns]? (?:idee|möglichkeit|weg|ansatz|lesart))",
        where=Place.LATER,
    ),
    _cue(_ALTERNATIVE, r"vielleicht\b", where=_MOVED_ON),
    _cue(
        _CORRECTION,
        r"(?:aber |oh,? |nein,? |hm+,? )*(?:warte|moment(?: mal)?|halt|stopp)\b ?[,.!:—–-]",
        r"nein, (?:das|doch|so)",
        r"(?:das |so )?stimmt (?:doch )?(?:gar |so )?nicht",
        r"(?:da|hier) (?:ist|war) (?:mir )?ein fehler",
    ),
)

CHINESE = (
    _cue(
        _CHECK,
        r"(?:最后|还)?(?:需要|得|应该)(?:检查|确认|核实|核对|再看)",
        r"(?:等等，?|不过，?|但是?，?|再|让我|我们?(?:得|需要|应该|要)|需要|可能需要|同时，?要|最后，?){0,3}.{0,6}(?:再检查|检查一|再确认|确认一下|再想想|再算|再看|验证|核对|确保没有|重新(?:读|看|算))",
    ),
    _cue(
        _ALTERNATIVE,
        r"(?:等等，?|不过，?|或者，?|但是?，?)?(?:或者(?:有没有|说|可能|也许|可以)|另外?一种|也有可能|换个|换一种|有没有可能|也许还|又或者)",
    ),
    _cue(_CORRECTION, r"(?:哦，?)?(?:等等|等一下|不对|不，|我(?:算|看|弄|搞)错|其实不)"),
    _cue(_CORRECTION, r"不过(?!看起来|总的)"),
)

OTHERS = (*GERMAN, *CHINESE)
"""Openings of languages with few labelled traces: likely, never sure."""
