#!/usr/bin/env bash
# llama.cpp b11549: other people's prompts end a reply that has all the room it needs, after status 200.
#
# Guess: the n_ctx that /slots tells is what one request may use, and a request that does not fit is refused, or ends by
#   itself with finish_reason length; who is already being answered is safe from who comes later.
# Seen: with the default number of slots (-1, which makes four) all share one context: each slot says that it has
#   the whole of it. When prompts that fit one by one do not fit together, the server ends every reply under way,
#   also the short one that had long begun: `Context size has been exceeded` as an event of a stream with status 200,
#   with neither a finish_reason nor [DONE]. Asked alone, each is answered.
# Versions: llama.cpp b11549 (xllamacpp 2026.10.11549), gguf 0.19.0.
# Needs Python 3.11 and libgomp.
# Output (the last two lines may change places):
#   each of 4 slots has a context of 2048
#   1202 tokens of prompt, alone:       length
#   short prompt, begun before:         500 Context size has been exceeded.
#   1202 tokens of prompt, together:    500 Context size has been exceeded.
#   1202 tokens of prompt, together:    500 Context size has been exceeded.
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
import threading
import urllib.request

import xllamacpp
from tiny import chain, write


def stream(what, prompt, tokens, began=None):
    """Have a reply streamed, and tell how it ends."""
    request = {"messages": [{"role": "user", "content": prompt}], "temperature": 0, "max_tokens": tokens, "stream": True}
    address = server.listening_address + "/v1/chat/completions"
    with urllib.request.urlopen(address, json.dumps(request).encode(), timeout=300) as answer:
        assert answer.status == 200
        how = "nothing"
        for line in answer:
            if not line.startswith(b"data: {"):
                continue
            event = json.loads(line[6:])
            if "error" in event:
                how = f"{event['error']['code']} {event['error']['message']}"
            elif event["choices"]:
                how = event["choices"][0]["finish_reason"] or how
                if began and event["choices"][0]["delta"].get("content"):
                    began.set()
    if began:
        began.set()
    ends[what].append(how)


# A model that never ends its reply: x, y, x, y ...
write("model.gguf", "{% for m in messages %}<|user|>{{ m.content }}{% endfor %}<|bot|>", chain("<|user|>", "<|bot|>", *"xyx"), context=4096)
parameters = xllamacpp.CommonParams()
parameters.model.path, parameters.n_ctx, parameters.n_parallel = "model.gguf", 2048, -1
parameters.fit_params, parameters.offline, parameters.verbosity = False, True, 0
server = xllamacpp.Server(parameters)
with urllib.request.urlopen(server.listening_address + "/slots") as answer:
    slots = [slot["n_ctx"] for slot in json.load(answer)]
print(f"each of {len(slots)} slots has a context of {max(slots)}")
short, alone, together = "short prompt, begun before", "1202 tokens of prompt, alone", "1202 tokens of prompt, together"
ends = {short: [], alone: [], together: []}
stream(alone, "p" * 1200, 20)
print(f"{alone + ':':<35} {ends[alone][0]}")
began = threading.Event()
threads = [threading.Thread(target=stream, args=(short, "s", 800, began))]
threads[0].start()
began.wait(120)
threads += [threading.Thread(target=stream, args=(together, letter * 1200, 20)) for letter in "qr"]
for thread in threads[1:]:
    thread.start()
for thread in threads:
    thread.join()
for what in (short, together):
    for how in ends[what]:
        print(f"{what + ':':<35} {how}")
lost = ["500 Context size has been exceeded."]
same = slots == [2048] * 4 and ends == {short: lost, alone: ["length"], together: lost * 2}
sys.stdout.flush()
os._exit(0 if same else 1)  # without the end of the server, which may wait for ever
END
