#!/usr/bin/env bash
# Ollama 0.34.2: the TEMPLATE of a Modelfile is accepted and not used.
#
# Guess: TEMPLATE says how a model is asked: who writes one instead of what the GGUF brings is asked by it, the more so
#   as `create` succeeds and /api/show gives it back in `modelfile`.
# Seen: where the Jinja template inside the GGUF can think and TEMPLATE has no thinking in it, the GGUF's is used. So
#   exactly the wish to do without the thinking is not granted. The one sign is the field `template` of /api/show, which
#   has the GGUF's text while `modelfile` has the other. With a passage for `.Thinking` the same TEMPLATE holds.
# Versions: Ollama 0.34.2 (Go module), llama.cpp b11549 (xllamacpp 2026.10.11549), gguf 0.19.0.
# Needs Go 1.26, a C compiler, libgomp and Python 3.11; builds Ollama, which takes minutes.
# Output:
#   Modelfile               asked with               modelfile of show    template of show
#   no TEMPLATE             <|user|>hi<end><|bot|>   {{ .Prompt }}        the GGUF's
#   TEMPLATE                <|user|>hi<end><|bot|>   TEMPLATE             the GGUF's
#   TEMPLATE with thinking  Q: hi A:                 TEMPLATE             TEMPLATE
set -euo pipefail

work=$(mktemp -d)
server=
leave() {
  status=$?
  [ -z "$server" ] || kill "$server" 2>/dev/null || true
  wait
  chmod -R u+w "$work"
  rm -rf "$work"
  exit "$status"
}
trap leave EXIT

# Whoever sets GOMODCACHE and GOCACHE keeps what Go fetched and built for the next script.
export GOPATH=$work/go GOMODCACHE=${GOMODCACHE:-$work/modules} GOCACHE=${GOCACHE:-$work/built}
GOBIN=$work/bin go install github.com/ollama/ollama@v0.34.2
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check gguf==0.19.0 numpy==2.4.6 xllamacpp==2026.10.11549

# Ollama runs GGUF models in a program called llama-server: this one is the server of llama.cpp that xllamacpp carries.
mkdir -p "$work/lib/ollama"
printf '#!%s\n' "$work/venv/bin/python" >"$work/lib/ollama/llama-server"
cat >>"$work/lib/ollama/llama-server" <<'END'
import os, sys, time

told = dict(zip(sys.argv[1:], sys.argv[2:]))
if "--model" not in told:
    sys.exit()  # only asked for its devices
parent = os.getppid()
with open(os.environ["STARTS"], "a") as starts:
    starts.write("start\n")
import xllamacpp

parameters = xllamacpp.CommonParams()
parameters.model.path = told["--model"]
parameters.hostnames, parameters.port = [told["--host"]], int(told["--port"])
parameters.n_ctx, parameters.n_parallel = int(told["-c"]), int(told["-np"])
parameters.use_jinja = "--no-jinja" not in sys.argv
parameters.chat_template = told.get("--chat-template", "")
parameters.ctx_shift = "--context-shift" in sys.argv
parameters.fit_params, parameters.offline, parameters.verbosity = False, True, 4
server = xllamacpp.Server(parameters)
while os.getppid() == parent:
    time.sleep(0.2)
os._exit(0)
END
chmod +x "$work/lib/ollama/llama-server"

export STARTS=$work/starts no_proxy=127.0.0.1 NO_PROXY=127.0.0.1
HOME=$work OLLAMA_HOST=127.0.0.1:0 OLLAMA_MODELS=$work/models OLLAMA_NO_CLOUD=1 \
  "$work/bin/ollama" serve >"$work/log" 2>&1 &
server=$!
until address=$(grep -som1 'Listening on [0-9.:]*' "$work/log"); do
  kill -0 "$server"
  sleep 0.2
done
export OLLAMA=http://${address##* }

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

cat >"$work/ask.py" <<'END'
import hashlib, json, os, pathlib, urllib.error, urllib.request


def ask(path, body=None, method=None):
    """Return what Ollama answers: the status and the JSON."""
    data = body if isinstance(body, bytes | None) else json.dumps(body).encode()
    request = urllib.request.Request(os.environ["OLLAMA"] + path, data, method=method)
    try:
        with urllib.request.urlopen(request, timeout=120) as answer:
            return answer.status, json.loads(answer.read() or "null")
    except urllib.error.HTTPError as error:
        return error.code, json.loads(error.read() or "null")


def create(name, path, **more):
    """Make a model of a GGUF, as `ollama create` does."""
    data = pathlib.Path(path).read_bytes()
    digest = "sha256:" + hashlib.sha256(data).hexdigest()
    if ask(f"/api/blobs/{digest}", method="HEAD")[0] != 200:
        ask(f"/api/blobs/{digest}", data)
    status, answer = ask("/api/create", {"model": name, "files": {"model.gguf": digest}, "stream": False, **more})
    assert status == 200, answer
END
cd "$work"
"$work/venv/bin/python" - <<'END'
from ask import ask, create
from tiny import chain, write

JINJA = (
    "{% for m in messages %}{{ '<|user|>' if m.role == 'user' else '<|bot|>' }}"
    "{% if m.reasoning_content %}{{ '<think>' + m.reasoning_content + '</think>' }}{% endif %}{{ m.content }}<end>"
    "{% endfor %}{% if add_generation_prompt %}<|bot|>"
    "{% if enable_thinking is defined and not enable_thinking %}<think></think>{% endif %}{% endif %}"
)
TEMPLATES = {
    "no TEMPLATE": "",
    "TEMPLATE": "{{ range .Messages }}Q: {{ .Content }} A:{{ end }}",
    "TEMPLATE with thinking": (
        "{{ range .Messages }}Q: {{ .Content }} A:{{ if .Thinking }}<think>{{ .Thinking }}</think>{{ end }}{{ end }}"
    ),
}
NAMES = {JINJA: "the GGUF's", "{{ .Prompt }}": "{{ .Prompt }}"} | {text: "TEMPLATE" for text in TEMPLATES.values()}

seen = []
write("model.gguf", JINJA, chain("<|user|>", "<|bot|>", "Hi", "<end>"))
print(f"{'Modelfile':<23} {'asked with':<24} {'modelfile of show':<20} template of show")
for title, template in TEMPLATES.items():
    create("model", "model.gguf", **({"template": template} if template else {}))
    request = {"model": "model", "messages": [{"role": "user", "content": "hi"}], "stream": False, "keep_alive": 0}
    _, answer = ask("/api/chat", {**request, "_debug_render_only": True})
    _, show = ask("/api/show", {"model": "model"})
    [line] = [line for line in show["modelfile"].splitlines() if line.startswith("TEMPLATE ")]
    given = line.removeprefix("TEMPLATE ").strip('"')
    seen.append((answer["_debug_info"]["rendered_template"], NAMES.get(given, given), NAMES[show["template"]]))
    print(f"{title:<23} {seen[-1][0]:<24} {seen[-1][1]:<20} {seen[-1][2]}")
own = "<|user|>hi<end><|bot|>"
expected = [(own, "{{ .Prompt }}", "the GGUF's"), (own, "TEMPLATE", "the GGUF's"), ("Q: hi A:", "TEMPLATE", "TEMPLATE")]
raise SystemExit(0 if seen == expected else "changed")
END
