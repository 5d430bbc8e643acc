#!/usr/bin/env bash
# openai-harmony 0.0.8: a reply cut by the token limit is whole, or an error that takes the thinking with it.
#
# Guess: what a parser makes of a reply that was cut grows with each token, and the end tells whether a message was
#   finished; with strict=False it is forgiving.
# Seen: cut inside a message, half of it counts as a message like any other (nothing in it tells that `<|return|>` never
#   came, so half an answer looks whole). Cut in the four tokens between the thinking and the answer, the call raises,
#   with strict=False too, and the thinking, which was complete one token earlier, is lost. StreamableParser has it in
#   `messages` at the same place.
# Versions: openai-harmony 0.0.8, js-tiktoken 1.0.21 (npm) for the vocabulary.
# Needs Python 3.11 and npm.
# Output:
#   cut after     messages
#   <|end|>       {'analysis': 'Nine tenths is larger.'}
#   <|start|>     error: Unexpected EOS while waiting for message header to complete
#   assistant     error: Unexpected EOS while waiting for message header to complete
#   <|channel|>   error: Unexpected EOS while waiting for message header to complete
#   final         error: Unexpected EOS while waiting for message header to complete
#   <|message|>   {'analysis': 'Nine tenths is larger.', 'final': ''}
#   9             {'analysis': 'Nine tenths is larger.', 'final': '9'}
#   .             {'analysis': 'Nine tenths is larger.', 'final': '9.'}
#   9             {'analysis': 'Nine tenths is larger.', 'final': '9.9'}
#    is           {'analysis': 'Nine tenths is larger.', 'final': '9.9 is'}
#    larger       {'analysis': 'Nine tenths is larger.', 'final': '9.9 is larger'}
#   .             {'analysis': 'Nine tenths is larger.', 'final': '9.9 is larger.'}
#   <|return|>    {'analysis': 'Nine tenths is larger.', 'final': '9.9 is larger.'}
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check openai-harmony==0.0.8
cd "$work"

# The library fetches its vocabulary from a web site; js-tiktoken brings the same one in a package, in another form.
npm pack --silent --cache "$work/npm" js-tiktoken@1.0.21 >/dev/null
tar xzf js-tiktoken-1.0.21.tgz package/dist/ranks/o200k_base.js
mkdir vocabulary
python3 - <<'END'
import json
import pathlib

ranks = pathlib.Path("package/dist/ranks/o200k_base.js").read_text()
with open("vocabulary/o200k_base.tiktoken", "w") as file:
    for line in json.loads(ranks[ranks.index("{") : ranks.rindex("}") + 1])["bpe_ranks"].splitlines():
        _, first, *tokens = line.split()
        file.writelines(f"{token} {rank}\n" for rank, token in enumerate(tokens, int(first)))
END
export TIKTOKEN_ENCODINGS_BASE=$work/vocabulary
"$work/venv/bin/python" - <<'END'
from openai_harmony import HarmonyEncodingName, HarmonyError, Role, StreamableParser, load_harmony_encoding

encoding = load_harmony_encoding(HarmonyEncodingName.HARMONY_GPT_OSS)
REPLY = (
    "<|channel|>analysis<|message|>Nine tenths is larger.<|end|>"
    "<|start|>assistant<|channel|>final<|message|>9.9 is larger.<|return|>"
)


def parsed(tokens, strict):
    """Return the texts of the messages by channel, or the error."""
    try:
        messages = encoding.parse_messages_from_completion_tokens(tokens, Role.ASSISTANT, strict=strict)
    except HarmonyError as error:
        return f"error: {error}"
    return {message.channel: message.content[0].text for message in messages}


tokens = encoding.encode(REPLY, allowed_special="all")
stream = StreamableParser(encoding, Role.ASSISTANT)
lost = []
print(f"{'cut after':<13} messages")
for count, token in enumerate(tokens, 1):
    stream.process(token)
    result = parsed(tokens[:count], strict=True)
    if count >= tokens.index(encoding.encode("<|end|>", allowed_special="all")[0]) + 1:
        print(f"{encoding.decode([token]):<13} {result}")
    if isinstance(result, str) and stream.messages:
        lost.append(parsed(tokens[:count], strict=False) == result)
half = parsed(tokens[:-3], strict=True)
thinking = "Nine tenths is larger."
whole = half == {"analysis": thinking, "final": "9.9 is"}
raise SystemExit(0 if lost == [True] * 4 and whole else "changed")
END
