#!/usr/bin/env bash
# llama.cpp b11549: /v1/chat/completions holds a reply to a schema that is not the one that was sent.
#
# Guess: a JSON Schema given as response_format either holds the reply or is refused with 400, and what the server
#   cannot hold is at worst left out, so that the reply is too free and never forced to be wrong.
# Seen: valid schemas force replies that no try can make right. A property that is `allOf` of a string (what generators
#   write to join a type with a limit) can only be `{}`. An object with `anyOf` beside its `properties` loses the
#   properties, and the reply need not be an object: here it is a number. A pattern with `\d` is left out whole, while
#   the same pattern with `[0-9]` holds. Each is 200 with finish_reason stop (or the token limit).
# Versions: llama.cpp b11549 (xllamacpp 2026.10.11549), gguf 0.19.0.
# Needs Python 3.11 and libgomp.
# Output:
#   a: pattern ^[0-9]{3}$                   {"a":"777"}   fits
#   a: pattern ^\d{3}$                      {"a":"tbc"}   does not fit
#   a: allOf of a string and a limit        {"a":{}}      does not fit
#   a, b: anyOf a required, b required      7             does not fit
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check gguf==0.19.0 numpy==2.4.6 xllamacpp==2026.10.11549

# A model whose weights hold its whole reply: the token that comes depends on the last token alone.
cat >"$work/tiny.py" <<'END'
import gguf
import numpy

WIDTH = 512


def write(path, template, follows, context=2048):
    """Write a Llama of one empty layer; `follows` says for a token which one comes next and how strongly."""
    kept = [*range(33, 127), *range(161, 173), *range(174, 256)]
    spare = iter(range(256, 512))
    tokens = [chr(byte if byte in kept else next(spare)) for byte in range(256)] + ["ab", "<end>"]
    tokens += sorted({token for pair in follows for token in pair} - set(tokens))
    place = {token: number for number, token in enumerate(tokens)}
    logits = numpy.zeros((len(tokens), WIDTH), "float32")
    logits[[place[blank] for blank in "ĉĊčĠ"]] = -60  # no white space where something else may come
    for (token, comes), strength in follows.items():
        logits[place[comes], place[token]] = strength
    file = gguf.GGUFWriter(path, "llama")
    file.add_context_length(context)
    file.add_embedding_length(WIDTH)
    file.add_block_count(1)
    file.add_feed_forward_length(32)
    file.add_head_count(8)
    file.add_head_count_kv(8)
    file.add_layer_norm_rms_eps(1e-5)
    file.add_vocab_size(len(tokens))
    file.add_tokenizer_model("gpt2")
    file.add_tokenizer_pre("gpt-2")
    file.add_token_list(tokens)
    file.add_token_types([1] * 257 + [3] + [4] * (len(tokens) - 258))
    file.add_token_merges(["a b"])
    file.add_eos_token_id(place["<end>"])
    file.add_bos_token_id(place["<end>"])
    file.add_add_bos_token(False)
    file.add_chat_template(template)
    shapes = {"attn_norm": WIDTH, "attn_q": (WIDTH, WIDTH), "attn_k": (WIDTH, WIDTH), "attn_v": (WIDTH, WIDTH)}
    shapes |= {"attn_output": (WIDTH, WIDTH), "ffn_norm": WIDTH, "ffn_gate": (32, WIDTH), "ffn_up": (32, WIDTH)}
    for name, shape in (shapes | {"ffn_down": (WIDTH, 32)}).items():
        file.add_tensor(f"blk.0.{name}.weight", numpy.zeros(shape, "float32"))
    file.add_tensor("token_embd.weight", numpy.eye(len(tokens), WIDTH, dtype="float32"))
    file.add_tensor("output_norm.weight", numpy.ones(WIDTH, "float32"))
    file.add_tensor("output.weight", logits / WIDTH**0.5)
    file.write_header_to_file()
    file.write_kv_data_to_file()
    file.write_tensors_to_file()
    file.close()


def chain(*tokens, strength=60):
    """Return `follows` for tokens that come one after the other."""
    return {pair: strength for pair in zip(tokens, tokens[1:])}
END
export no_proxy=127.0.0.1 NO_PROXY=127.0.0.1
cd "$work"
"$work/venv/bin/python" - <<'END'
import json
import os
import re
import sys
import urllib.error
import urllib.request

import xllamacpp
from tiny import chain, write

def post(path, body):
    """Ask llama.cpp's server over HTTP and return what it answers, error or not."""
    request = urllib.request.Request(server.listening_address + path, json.dumps(body).encode())
    try:
        with urllib.request.urlopen(request, timeout=120) as answer:
            return json.load(answer)
    except urllib.error.HTTPError as error:
        return json.load(error)


def serve(context=512, slots=1):
    """Start llama.cpp's server with the model."""
    parameters = xllamacpp.CommonParams()
    parameters.model.path, parameters.n_ctx, parameters.n_parallel = "model.gguf", context, slots
    parameters.fit_params, parameters.offline, parameters.verbosity = False, True, 0
    return xllamacpp.Server(parameters)



def closed(**a):
    return {"type": "object", "properties": {"a": a}, "required": ["a"], "additionalProperties": False}


def digits(value):
    return isinstance(value, dict) and re.fullmatch("[0-9]{3}", value["a"]) is not None


EITHER = [{"required": ["a"]}, {"required": ["b"]}]
TRUTHS = {"a": {"type": "boolean"}, "b": {"type": "boolean"}}
CASES = (
    ("a: pattern ^[0-9]{3}$", closed(type="string", pattern="^[0-9]{3}$"), digits),
    (r"a: pattern ^\d{3}$", closed(type="string", pattern=r"^\d{3}$"), digits),
    ("a: allOf of a string and a limit", closed(allOf=[{"type": "string"}, {"maxLength": 9}]), lambda it: isinstance(it["a"], str)),
    ("a, b: anyOf a required, b required", {"type": "object", "properties": TRUTHS, "anyOf": EITHER}, lambda it: isinstance(it, dict)),
)

# A model that would write "tbc" into any string, and 7 where it may begin with a number.
says = chain(*'"tbc"') | chain("<|user|>", "<|bot|>", "7", "<end>") | chain('"', "7", "7", strength=30)
write("model.gguf", "{% for m in messages %}<|user|>{{ m.content }}{% endfor %}<|bot|>", says)
server = serve()
seen = []
for title, schema, fits in CASES:
    held = {"type": "json_schema", "json_schema": {"name": "it", "schema": schema}}
    request = {"messages": [{"role": "user", "content": "hi"}], "temperature": 0, "max_tokens": 60, "response_format": held}
    [choice] = post("/v1/chat/completions", request)["choices"]
    assert choice["finish_reason"] == "stop", choice
    text = choice["message"]["content"]
    seen.append(fits(json.loads(text)))
    print(f"{title:<39} {text:<13} {'fits' if seen[-1] else 'does not fit'}")
sys.stdout.flush()
os._exit(0 if seen == [True, False, False, False] else 1)  # without the end of the server, which may wait for ever
END
