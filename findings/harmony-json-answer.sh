#!/usr/bin/env bash
# openai-harmony 0.0.8: an answer in JSON is addressed to somebody called `<|constrain|>json`.
#
# Guess: `<|channel|>final <|constrain|>json<|message|>{…}` is a final answer to the user whose content type is JSON;
#   the parser says content_type `<|constrain|>json` and no recipient, as it does for the same words in a tool call.
# Seen: without `to=…` before it the content type is taken for the recipient, and content_type is None. Whoever tells
#   tool calls from answers by the recipient calls a tool of that name instead of showing the answer. Put back into a
#   conversation, the answer becomes a tool call, `to=<|constrain|>json` and `<|call|>`: the next turn of the model sees
#   a call that it never made and that nobody answered.
# Versions: openai-harmony 0.0.8, js-tiktoken 1.0.21 (npm) for the vocabulary.
# Needs Python 3.11 and npm.
# Output:
#   tool call: channel commentary, recipient functions.look, content type <|constrain|>json
#   answer:    channel final, recipient <|constrain|>json, content type None
#   put back:  <|start|>assistant to=<|constrain|>json<|channel|>final<|message|>{"larger":9.9}<|call|>
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
from openai_harmony import HarmonyEncodingName, Role, load_harmony_encoding

encoding = load_harmony_encoding(HarmonyEncodingName.HARMONY_GPT_OSS)


def parse(text):
    """Return the one message of a completion of gpt-oss."""
    tokens = encoding.encode(text, allowed_special="all")
    [message] = encoding.parse_messages_from_completion_tokens(tokens, Role.ASSISTANT)
    return message


def told(message):
    return f"channel {message.channel}, recipient {message.recipient}, content type {message.content_type}"


call = parse("<|channel|>commentary to=functions.look <|constrain|>json<|message|>{}<|call|>")
answer = parse('<|channel|>final <|constrain|>json<|message|>{"larger":9.9}<|return|>')
back = encoding.decode_utf8(encoding.render(answer))
print("tool call:", told(call))
print("answer:   ", told(answer))
print("put back: ", back)
json = "<|constrain|>json"
same = (call.recipient, call.content_type, answer.recipient, answer.content_type) == ("functions.look", json, json, None)
raise SystemExit(0 if same and back.startswith(f"<|start|>assistant to={json}") and back.endswith("<|call|>") else "changed")
END
