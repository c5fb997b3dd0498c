# ruff: noqa: E501  the style sheet
"""Build the documentation site from the catalogue: `python tools/site.py [FOLDER]` (default `site/`).

One page a cause, from the same files that the program reads, and an index by family with a search over titles
and search words that works without a server.
"""

from __future__ import annotations

import html
import re
import sys
from itertools import groupby
from pathlib import Path

from jinja2 import Environment
from markdown_it import MarkdownIt

from why401 import __version__, causes

LAYOUT = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>{{ title }} · why401</title>{% if words %}<meta name="keywords" content="{{ words }}">{% endif %}
<style>
:root { color-scheme: light dark; --ink: #1b1f24; --soft: #57606a; --paper: #fff; --panel: #f5f6f8; --line: #d6dbe1; --link: #0b57b0; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6e9ee; --soft: #a3adb8; --paper: #14171b; --panel: #1d2127;
  --line: #343b45; --link: #8ab8ff; } }
body { margin: 0 auto; max-width: 46rem; padding: 2rem 1.25rem 4rem; background: var(--paper); color: var(--ink);
  font: 16px/1.6 system-ui, -apple-system, "Segoe UI", Roboto, "DejaVu Sans", sans-serif; }
a { color: var(--link); } nav, .meta { color: var(--soft); font-size: .875rem; }
h1 { font-size: 1.75rem; line-height: 1.25; } h2 { margin-top: 2.25rem; font-size: 1.2rem; } h3 { margin-top: 1.5rem; font-size: 1rem; }
pre, code { font-family: ui-monospace, Menlo, Consolas, "DejaVu Sans Mono", monospace; font-size: .875rem; }
pre { background: var(--panel); border: 1px solid var(--line); border-radius: 6px; padding: .7rem .9rem; overflow-x: auto; }
input { width: 100%; font: inherit; padding: .5rem .7rem; border: 1px solid var(--line); border-radius: 6px;
  background: var(--paper); color: var(--ink); }
li { margin: .2rem 0; } .id { color: var(--soft); font-size: .8125rem; }
</style></head><body>
<nav><a href="index.html">why401 {{ version }}: all causes of a 401</a></nav>
<main>{{ body }}</main>
</body></html>"""

SEARCH = """<script>
const box = document.querySelector("input"), rows = [...document.querySelectorAll("li[data-words]")];
box.addEventListener("input", () => {
  const words = box.value.toLowerCase().split(/\\s+/).filter(Boolean);
  for (const row of rows) row.hidden = !words.every((word) => row.dataset.words.includes(word));
});
</script>"""


def link_ids(markdown: str) -> str:
    """Causes named in bold become links to their pages."""
    known = causes.catalogue()
    return re.sub(
        r"\*\*([a-z0-9-]+)\*\*", lambda m: f"[**{m[1]}**]({m[1]}.html)" if m[1] in known else m[0], markdown
    )


def main() -> None:
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else "site")
    folder.mkdir(parents=True, exist_ok=True)
    layout = Environment(autoescape=False).from_string(LAYOUT)
    markdown = MarkdownIt("commonmark").enable("table")
    known = list(causes.catalogue().values())

    def write(name: str, title: str, body: str, words: str = "") -> None:
        page = layout.render(
            title=html.escape(title), body=body, words=html.escape(words), version=__version__
        )
        (folder / name).write_text(page, encoding="utf-8")

    for cause in known:
        head = f"<h1>{html.escape(cause.title)}</h1><p class='meta'><code>{cause.id}</code> · {cause.family} · side: {cause.side}</p>"
        write(
            f"{cause.id}.html",
            cause.title,
            head + markdown.render(link_ids(causes.page(cause.id))),
            cause.search,
        )
    body = [
        "<h1>Why 401?</h1><label>Search <input type='search' placeholder='header, product, error code …'></label>"
    ]
    for family, members in groupby(sorted(known, key=lambda c: c.family), key=lambda c: c.family):
        body.append(f"<h2>{family}</h2><ul>")
        for cause in members:
            words = html.escape(f"{cause.id} {cause.title} {cause.search}".lower(), quote=True)
            body.append(
                f"<li data-words='{words}'><a href='{cause.id}.html'>{html.escape(cause.title)}</a> "
                f"<span class='id'>{cause.id}</span></li>"
            )
        body.append("</ul>")
    write("index.html", "All causes", "".join(body) + SEARCH)
    print(f"{len(known) + 1} pages in {folder}/")


if __name__ == "__main__":
    main()
