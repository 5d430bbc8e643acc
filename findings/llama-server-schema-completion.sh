#!/usr/bin/env bash
# llama.cpp b11549 in xllamacpp: one keyword in a schema turns all of it off on /completion, and only there.
#
# Guess: what a server can hold of a JSON Schema is the same on each of its endpoints; a keyword that it does not know
#   is an error, or at worst costs that keyword.
# Seen: /completion reads schemas with another engine (llguidance) than /v1/chat/completions does. With `uniqueItems`,
#   `not`, or `if` anywhere in the schema it answers 200 with free text, no JSON at all: the error stands in the
#   server's log. The chat endpoint holds the rest of the same schema. And a number beyond 2^53 in `const` comes out as
#   another number on /completion: an identifier that was dictated is wrong in the reply.
# Versions: llama.cpp b11549 (xllamacpp 2026.10.11549), gguf 0.19.0.
# Needs Python 3.11 and libgomp.
# Output:
#   keyword            /v1/chat/completions        /completion
#   (none)             {"a":[true,true]}           {"a":[true,true]}
#   uniqueItems        {"a":[true,true]}           Hi!
#   not                {"a":[true,true]}           Hi!
#   if                 {"a":[true,true]}           Hi!
#   const 2^53 + 1     {"a":9007199254740993}      {"a":9007199254740992}
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

def schema(of_a, **more):
    return {"type": "object", "properties": {"a": of_a}, "required": ["a"], "additionalProperties": False, **more}


PAIR = {"type": "array", "items": {"type": "boolean"}, "minItems": 2, "maxItems": 2}
BIG = 2**53 + 1
CASES = {
    "(none)": schema(PAIR),
    "uniqueItems": schema({**PAIR, "uniqueItems": True}),
    "not": schema(PAIR, **{"not": {"required": ["b"]}}),
    "if": schema(PAIR, **{"if": {"required": ["b"]}, "then": {"required": ["c"]}}),
    "const 2^53 + 1": schema({"const": BIG}),
}
TEMPLATE = "{% for m in messages %}<|user|>{{ m.content }}{% endfor %}<|bot|>"

# A model that would say Hi!, and true before false.
says = chain("<|bot|>", "H", "i", "!", "<end>") | chain("<|user|>", "<|bot|>") | chain("[", "t") | chain(",", "t")
write("model.gguf", TEMPLATE, says | chain("}", "<end>"))
server = serve()
seen = {}
print(f"{'keyword':<18} {'/v1/chat/completions':<27} /completion")
for name, held in CASES.items():
    same = {"temperature": 0, "max_tokens": 60, "n_predict": 60}
    form = {"type": "json_schema", "json_schema": {"name": "it", "schema": held}}
    chat = post("/v1/chat/completions", {**same, "messages": [{"role": "user", "content": "hi"}], "response_format": form})
    completion = post("/completion", {**same, "prompt": "<|user|>hi<|bot|>", "json_schema": held})
    seen[name] = chat["choices"][0]["message"]["content"], completion["content"]
    print(f"{name:<18} {seen[name][0]:<27} {seen[name][1]}")
pair = '{"a":[true,true]}'
off = {name: (pair, "Hi!") for name in ("uniqueItems", "not", "if")}
number = {"const 2^53 + 1": (f'{{"a":{BIG}}}', f'{{"a":{BIG - 1}}}')}
sys.stdout.flush()
os._exit(0 if seen == {"(none)": (pair, pair), **off, **number} else 1)  # without the end of the server, which may wait for ever
END
