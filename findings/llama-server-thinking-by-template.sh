#!/usr/bin/env bash
# llama.cpp b11549: how a template draws *past* turns decides whether a new reply has an answer, or thinks at all.
#
# Guess: a model that writes `<think>…</think>`, with a template that has the usual switch (an empty thought where
#   enable_thinking is false, nothing else), thinks by default; its thinking is reasoning_content, its answer content.
# Seen: the server finds the marks out by rendering the template with turns of its own making, and a valid template
#   leads it astray. Where past turns are drawn without their thinking, the line breaks of the empty thought decide:
#   with none in it, the whole reply, tags and answer, is reasoning_content, and content is empty, finish_reason stop.
#   With two, the server takes a model whose past turns come as they are for one that cannot think, and asks it *not*
#   to, though no request says so. Only templates that draw the thinking of past turns are read right either way.
#   What is generated in the other cases is the same: `<think>First</think>Nine`.
# Versions: llama.cpp b11549 (xllamacpp 2026.10.11549), gguf 0.19.0.
# Needs Python 3.11 and libgomp.
# Output:
#   past turns  empty thought            prompt ends in                  reasoning_content            content
#   as it is    <think></think>          <|bot|>                         '<think>First</think>Nine'   ''
#   as it is    <think>\n\n</think>\n\n  <|bot|><think>\n\n</think>\n\n  None                         'Nine'
#   without it  <think></think>          <|bot|>                         '<think>First</think>Nine'   ''
#   without it  <think>\n\n</think>\n\n  <|bot|>                         'First'                      'Nine'
#   with it     <think></think>          <|bot|>                         'First'                      'Nine'
#   with it     <think>\n\n</think>\n\n  <|bot|>                         'First'                      'Nine'
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

TEMPLATE = (
    "{% for m in messages %}{{ '<|user|>' if m.role == 'user' else '<|bot|>' }}{{ PAST }}<end>{% endfor %}"
    "{% if add_generation_prompt %}<|bot|>{% if enable_thinking is defined and enable_thinking is false %}{{ 'EMPTY' }}"
    "{% endif %}{% endif %}"
)
PAST = {
    "as it is": "m.content",
    "without it": "m.content.split('</think>')[-1]",
    "with it": "('<think>' + m.reasoning_content + '</think>' if m.reasoning_content else '') + m.content",
}
EMPTY = {r"<think></think>": "<think></think>", r"<think>\n\n</think>\n\n": "<think>\n\n</think>\n\n"}
HI = {"messages": [{"role": "user", "content": "hi"}], "temperature": 0, "max_tokens": 20}

seen = {}
servers = []
print(f"{'past turns':<11} {'empty thought':<24} {'prompt ends in':<31} {'reasoning_content':<28} content")
for past, text in PAST.items():
    for shown, empty in EMPTY.items():
        template = TEMPLATE.replace("PAST", text).replace("EMPTY", empty)
        write("model.gguf", template, chain("<|user|>", "<|bot|>", "<think>", "First", "</think>", "Nine", "<end>") | chain("Ċ", "Nine"))
        server = serve()
        servers.append(server)
        prompt = post("/apply-template", HI)["prompt"].rsplit("<end>")[-1].replace("\n", "\\n")
        message = post("/v1/chat/completions", HI)["choices"][0]["message"]
        seen[past, shown] = prompt, message.get("reasoning_content"), message["content"]
        print(f"{past:<11} {shown:<24} {prompt:<31} {seen[past, shown][1]!r:<28} {message['content']!r}")
whole = ("<|bot|>", "<think>First</think>Nine", "")
right = ("<|bot|>", "First", "Nine")
off = (r"<|bot|><think>\n\n</think>\n\n", None, "Nine")
sys.stdout.flush()
os._exit(0 if list(seen.values()) == [whole, off, whole, right, right, right] else 1)  # without the end of the server, which may wait for ever
END
