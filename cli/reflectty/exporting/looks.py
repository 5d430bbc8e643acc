"""The style sheet of an exported page: the themes ink and paper, whichever the reader's system asks for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reflectty import assets, theme
from reflectty.theme import ROLES

if TYPE_CHECKING:
    from reflectty.theme import Theme

LIGHT, DARK = "paper", "ink"

_RULES = """
* { box-sizing: border-box; }
body {
  margin: 0 auto; padding: 2.5rem 1.25rem 5rem; max-width: 52rem;
  background: var(--background); color: var(--answer);
  font: 1rem/1.6 system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", sans-serif;
  overflow-wrap: break-word;
}
header { margin-bottom: 2.5rem; }
header h1 { margin: 0; font-size: 1.35rem; line-height: 1.3; }
header p { margin: .25rem 0 0; color: var(--dim); font-size: .9rem; }
section { margin: 0 0 1.5rem; }
.question { margin-top: 2.5rem; padding-left: 1rem; border-left: 4px solid var(--you); }
.said { color: var(--text); font-weight: 600; white-space: pre-wrap; }
.reply { padding-left: calc(1rem + 4px); }
.attached { margin-top: .5rem; color: var(--dim); font-size: .9rem; }
.attached img { display: block; max-width: 100%; max-height: 24rem; margin-top: .5rem; border-radius: 6px; }
summary, .summary { color: var(--dim); font-size: .9rem; cursor: pointer; }
.summary { cursor: auto; }
summary:hover { color: var(--text); }
summary b { color: var(--correction); }
.steered { color: var(--accent) !important; }
.steered::before { content: "✎ "; }
.thought { margin-bottom: 1rem; }
.thinking, .correction {
  margin: 0; padding: .1rem 0 .1rem 1rem; border-left: 2px solid var(--line);
  color: var(--thinking); font-size: .95rem; white-space: pre-wrap;
}
.thought > summary + div { margin-top: .5rem; }
.correction { position: relative; border-color: var(--correction); color: var(--correction); }
.correction::before {
  content: "↺"; position: absolute; left: -.5rem; top: .1rem; width: .9rem; text-align: center;
  font-weight: 700; background: var(--background);
}
.answer > :first-child { margin-top: 0; }
.answer > :last-child { margin-bottom: 0; }
.answer h1, .answer h2, .answer h3, .answer h4 { margin: 1.5em 0 .5em; line-height: 1.3; }
.answer h1 { font-size: 1.3rem; }
.answer h2 { font-size: 1.2rem; }
.answer h3, .answer h4, .answer h5, .answer h6 { font-size: 1.05rem; }
a { color: var(--you); text-underline-offset: .15em; }
code, pre { font: .9em/1.5 ui-monospace, "SF Mono", "Cascadia Mono", Menlo, Consolas, "DejaVu Sans Mono", monospace; }
code { padding: .1em .3em; border-radius: 4px; background: var(--panel); color: var(--you); }
pre { margin: 1em 0; padding: .9rem 1rem; overflow-x: auto; border-radius: 8px; background: var(--panel); }
pre, pre code { color: var(--text); }
pre code { padding: 0; background: none; font: inherit; }
pre.literal { white-space: pre-wrap; }
blockquote { margin: 1em 0; padding-left: 1rem; border-left: 3px solid var(--line); color: var(--text); }
table { display: block; overflow-x: auto; border-collapse: collapse; margin: 1em 0; }
th, td { padding: .35rem .8rem .35rem 0; border-bottom: 1px solid var(--line); text-align: left; vertical-align: top; }
hr { border: 0; border-top: 1px solid var(--line); margin: 2em 0; }
.wrong, .remark { margin: 1rem 0 0; color: var(--dim); font-size: .9rem; }
.wrong { position: relative; }
.wrong::before { content: "!"; position: absolute; left: -1rem; color: var(--error); font-weight: 700; }
.you { color: var(--you); }
.accent { color: var(--accent); }
.good { color: var(--good); }
.error { color: var(--error); }
.dim { color: var(--dim); }
@media print { body { max-width: none; padding: 0; } pre { white-space: pre-wrap; } }
"""


def style() -> str:
    """Return the style sheet."""
    folders = (assets.folder("themes"),)
    light, dark = (theme.load(name, folders).theme for name in (LIGHT, DARK))
    chosen = f"@media (prefers-color-scheme: dark) {{ :root {{ {_variables(dark)} }} }}"
    return f":root {{ {_variables(light)} }}\n{chosen}{_RULES}".rstrip("\n")


def _variables(look: Theme) -> str:
    return " ".join(f"--{role}: {getattr(look.colours, role)};" for role in ROLES)
