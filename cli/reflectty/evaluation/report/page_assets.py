"""The style and the script of the page of a report."""

from __future__ import annotations

from typing import Final

_RULES: Final = """
* { box-sizing: border-box; }
body {
  margin: 0; background: var(--background); color: var(--answer); overflow-wrap: break-word;
  font: 1rem/1.55 system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", sans-serif;
}
main { max-width: 76rem; margin: 0 auto; padding: 2rem 1.25rem 5rem; }
header p, .remark, .key, .grade, .keys, #count { color: var(--dim); font-size: .9rem; }
h1 { margin: 0; font-size: 1.5rem; line-height: 1.3; }
header p { margin: .25rem 0 0; }
h2 { margin: 2.5rem 0 .75rem; font-size: 1.1rem; }
h3 { margin: 0; font-size: 1rem; }
h4 { margin: 1rem 0 0; font-size: .9rem; color: var(--dim); }
ul.conclusions, ul.warnings { margin: 1.25rem 0 0; padding: 0; list-style: none; }
ul.conclusions li { font-size: 1.05rem; margin: .3rem 0; }
ul.conclusions b { font-weight: 650; }
ul.warnings li { position: relative; padding-left: 1.25rem; margin: .2rem 0; color: var(--text); }
ul.warnings li::before { content: "!"; position: absolute; left: .25rem; color: var(--error); font-weight: 700; }
.charts { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 28rem), 1fr)); gap: 1.5rem; }
.charts { margin-top: 1.75rem; }
figure { margin: 0; padding: .9rem 1rem; border-radius: 8px; background: var(--panel); }
figcaption { margin-bottom: .6rem; color: var(--text); font-size: .9rem; font-weight: 600; }
svg { display: block; width: 100%; height: auto; }
svg text { fill: var(--text); font: 13px system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", sans-serif; }
svg .tick { fill: var(--dim); font-size: 11.5px; }
svg .value { font-weight: 600; }
svg .grid { stroke: var(--line); }
svg .zero { stroke: var(--dim); stroke-width: 1.5; }
svg .range { stroke-width: 2; }
.arm.range, svg .arm { stroke: var(--you); fill: var(--you); }
svg .baseline, svg .unseen { stroke: var(--dim); fill: var(--dim); }
svg .good { stroke: var(--good); fill: var(--good); }
svg .bad { stroke: var(--error); fill: var(--error); }
.wide { overflow-x: auto; }
table { border-collapse: collapse; font-size: .92rem; font-variant-numeric: tabular-nums; }
th, td { padding: .3rem 1.1rem .3rem 0; border-bottom: 1px solid var(--line); text-align: left; white-space: pre; }
th { color: var(--dim); font-weight: 600; }
.number { text-align: right; }
.remark { margin: .4rem 0 0; }
#bar { position: sticky; top: 0; z-index: 1; padding: .6rem 0; background: var(--background); }
#bar:not([hidden]) { display: flex; flex-wrap: wrap; gap: .4rem; align-items: center; }
button, input {
  padding: .25rem .7rem; border: 1px solid var(--line); border-radius: 6px; background: none;
  color: var(--text); font: inherit; font-size: .9rem;
}
button { cursor: pointer; }
button[aria-pressed="true"] { border-color: var(--accent); color: var(--accent); }
button:focus-visible, input:focus-visible, summary:focus-visible { outline: 2px solid var(--accent); }
.q { border-bottom: 1px solid var(--line); content-visibility: auto; contain-intrinsic-size: auto 2.6rem; }
.q { scroll-margin-top: 6.5rem; }
.q > summary { display: flex; gap: .75rem; align-items: baseline; padding: .45rem .25rem; cursor: pointer; }
.q > summary i { min-width: 2.6rem; color: var(--dim); font-style: normal; text-align: right; }
.q > summary .start { flex: 1; min-width: 8rem; overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
.q[open] > summary { font-weight: 600; }
.q[open] { padding-bottom: 1.5rem; }
.chips { display: flex; flex-wrap: wrap; gap: .3rem; }
.chip {
  padding: 0 .5rem; border: 1px solid currentcolor; border-radius: 999px; color: var(--dim); font-size: .8rem;
  font-weight: 400; white-space: nowrap;
}
.chip.right, .chip.fixed { color: var(--good); }
.chip.wrong, .chip.broken, .chip.error { color: var(--error); }
.chip.unfinished, .chip.weak { color: var(--correction); }
.said { margin: .5rem 0 0; padding-left: 1rem; border-left: 4px solid var(--you); white-space: pre-wrap; }
.key { margin: .5rem 0 1rem; padding-left: calc(1rem + 4px); }
.arms { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 20rem), 1fr)); gap: 1.25rem; }
.arms { align-items: start; }
.q .arm { min-width: 0; padding: .8rem 1rem; border: 1px solid var(--line); border-radius: 8px; }
.grade { margin: .4rem 0 .8rem; }
.grade .chip { margin-right: .3rem; }
.thought > summary { color: var(--dim); font-size: .9rem; cursor: pointer; }
.thought > summary b, .turn { color: var(--correction); }
.map { width: 100%; max-width: 26rem; height: .35rem; margin: .35rem 0; background: var(--line); }
.map rect { fill: var(--correction); }
.map .check, .map .alternative { fill: var(--dim); }
.map .settled { fill: var(--good); }
.thinking, .correction {
  padding: .1rem 0 .1rem 1rem; border-left: 2px solid var(--line); color: var(--thinking); font-size: .93rem;
  white-space: pre-wrap;
}
.correction { position: relative; border-color: var(--correction); color: var(--correction); }
.correction::before {
  content: "↺"; position: absolute; left: -.5rem; top: .1rem; width: .9rem; text-align: center; font-weight: 700;
  background: var(--background);
}
.answer { margin-top: .8rem; }
.answer > :first-child { margin-top: 0; }
.answer > :last-child { margin-bottom: 0; }
.answer h1, .answer h2, .answer h3, .answer h4 { margin: 1em 0 .4em; font-size: 1rem; color: inherit; }
a { color: var(--you); }
code, pre { font: .9em/1.5 ui-monospace, "SF Mono", "Cascadia Mono", Menlo, Consolas, "DejaVu Sans Mono", monospace; }
code { padding: .1em .3em; border-radius: 4px; background: var(--panel); }
pre { padding: .7rem .9rem; overflow-x: auto; border-radius: 8px; background: var(--panel); }
pre code { padding: 0; background: none; }
pre.literal { white-space: pre-wrap; }
.you { color: var(--you); } .accent { color: var(--accent); } .good { color: var(--good); }
.error { color: var(--error); } .dim { color: var(--dim); }
.wrong:not(.chip) { color: var(--error); }
@media (max-width: 40rem) {
  .q > summary { flex-wrap: wrap; }
  .q > summary .start { flex-basis: calc(100% - 4rem); }
}
@media print { #bar { display: none !important; } }
"""

SCRIPT: Final = """
(() => {
  const questions = [...document.querySelectorAll("details.q")];
  const bar = document.getElementById("bar");
  const box = document.getElementById("words");
  const count = document.getElementById("count");
  const buttons = [...bar.querySelectorAll("button")];
  const texts = new Map();
  let chosen = "";
  let waiting = 0;

  const textOf = (one) => {
    if (!texts.has(one)) texts.set(one, one.textContent.toLowerCase());
    return texts.get(one);
  };
  const matches = (one, words) =>
    (!chosen || one.dataset.is.split(" ").includes(chosen)) && words.every((word) => textOf(one).includes(word));
  const show = () => {
    const words = box.value.toLowerCase().split(/\\s+/).filter(Boolean);
    let shown = 0;
    for (const one of questions) {
      one.hidden = !matches(one, words);
      shown += !one.hidden;
    }
    count.textContent = shown === questions.length ? "" : `${shown} shown`;
  };
  const choose = (button) => {
    chosen = button.dataset.filter;
    for (const one of buttons) one.setAttribute("aria-pressed", String(one === button));
    show();
  };
  const move = (step) => {
    const shown = questions.filter((one) => !one.hidden);
    const at = shown.indexOf(document.activeElement.closest("details.q"));
    const next = shown[at < 0 ? (step > 0 ? 0 : shown.length - 1) : at + step];
    if (!next) return;
    next.firstElementChild.focus({ preventScroll: true });
    next.scrollIntoView({ block: next.open ? "start" : "center" });
  };
  const keys = { j: () => move(1), k: () => move(-1), "/": () => box.focus() };

  bar.hidden = false;
  for (const button of buttons) button.addEventListener("click", () => choose(button));
  box.addEventListener("input", () => {
    clearTimeout(waiting);
    waiting = setTimeout(show, 150);
  });
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.target === box) {
      if (event.key === "Escape") { box.value = ""; show(); box.blur(); }
      return;
    }
    if (!keys[event.key]) return;
    event.preventDefault();
    keys[event.key]();
  });
})();
"""


def build_report_stylesheet() -> str:
    """The rules of a page, with the colors of the light and the dark theme."""
    from reflectty.export.html import build_color_rules

    return f"{build_color_rules()}{_RULES}"
