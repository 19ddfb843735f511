#include "report/html.h"

namespace sextant::commands {

const char* const kReportStyle = R"css(
:root { color-scheme: light dark; --paper: #fbfaf8; --card: #ffffff; --ink: #1d2129; --soft: #626a78; --line: #e3e1dc;
  --accent: #0b6e8f; --tint: #e9f3f6; --good: #1a7f4b; --bad: #b3402a; --shade: 0 1px 2px rgb(20 24 32 / .06), 0 8px 24px rgb(20 24 32 / .05); }
@media (prefers-color-scheme: dark) { :root:not([data-theme=light]) { --paper: #14171c; --card: #1c2027; --ink: #e8eaee;
  --soft: #9aa3b2; --line: #2d333d; --accent: #63c3df; --tint: #1b2f38; --good: #5fcf95; --bad: #f0907b; --shade: none; } }
:root[data-theme=dark] { color-scheme: dark; --paper: #14171c; --card: #1c2027; --ink: #e8eaee; --soft: #9aa3b2;
  --line: #2d333d; --accent: #63c3df; --tint: #1b2f38; --good: #5fcf95; --bad: #f0907b; --shade: none; }
:root[data-theme=light] { color-scheme: light; }
* { box-sizing: border-box; }
body { margin: 0; background: var(--paper); color: var(--ink); font: 16px/1.55 system-ui, -apple-system, "Segoe UI", "DejaVu Sans", sans-serif; }
main, header > div { max-width: 78rem; margin: 0 auto; padding: 0 1.25rem; }
header { border-bottom: 1px solid var(--line); background: var(--card); }
header > div { display: flex; align-items: center; gap: 1rem; padding-top: 1.1rem; padding-bottom: 1.1rem; }
h1 { font-size: 1.35rem; line-height: 1.25; margin: 0; letter-spacing: -.01em; text-wrap: balance; }
h1 small { display: block; font-weight: 400; font-size: .85rem; color: var(--soft); letter-spacing: 0; margin-top: .2rem; }
header button { margin-left: auto; flex: none; }
button { font: inherit; font-size: .85rem; color: var(--ink); background: var(--card); border: 1px solid var(--line);
  border-radius: .5rem; padding: .35rem .7rem; cursor: pointer; }
button:hover { border-color: var(--accent); color: var(--accent); }
:focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; }
nav { display: flex; flex-wrap: wrap; gap: .4rem .5rem; padding: 1rem 0 0; }
nav a { color: var(--soft); text-decoration: none; font-size: .85rem; border: 1px solid var(--line); border-radius: 2rem; padding: .15rem .75rem; background: var(--card); }
nav a:hover { color: var(--accent); border-color: var(--accent); }
section { margin: 2.25rem 0 3rem; scroll-margin-top: 1rem; }
h2 { font-size: 1.2rem; margin: 0 0 .3rem; letter-spacing: -.01em; }
h3 { font-size: .95rem; margin: 1.75rem 0 .6rem; }
p.note { color: var(--soft); font-size: .875rem; margin: .1rem 0 .9rem; max-width: 70ch; }
.card { background: var(--card); border: 1px solid var(--line); border-radius: .8rem; box-shadow: var(--shade); overflow: hidden; }
.scroll { overflow-x: auto; }
table { border-collapse: separate; border-spacing: 0; width: 100%; font-size: .9rem; font-variant-numeric: tabular-nums; }
th, td { padding: .55rem .85rem; text-align: right; white-space: nowrap; border-bottom: 1px solid var(--line); }
th:first-child, td:first-child { position: sticky; left: 0; background: var(--card); }
th.text, td.text { text-align: left; }
tbody tr:last-child td { border-bottom: 0; }
tbody tr:hover td { background: var(--tint); }
th { font-weight: 600; font-size: .8rem; color: var(--soft); vertical-align: bottom; }
th button { all: unset; cursor: pointer; font: inherit; color: inherit; }
th button:hover, th[aria-sort] button { color: var(--accent); }
th button:focus-visible { outline: 2px solid var(--accent); outline-offset: 3px; border-radius: 2px; }
th button::after { content: "\2195"; margin-left: .3em; opacity: .35; font-weight: 400; }
th[aria-sort=ascending] button::after { content: "\2191"; opacity: 1; }
th[aria-sort=descending] button::after { content: "\2193"; opacity: 1; }
td.best { font-weight: 700; }
td small { color: var(--soft); font-weight: 400; }
td .up { color: var(--bad); } td .down { color: var(--good); }
tr.baseline td:first-child::after { content: "baseline"; margin-left: .6em; font-size: .7rem; color: var(--accent);
  border: 1px solid currentColor; border-radius: 1rem; padding: 0 .45em; font-weight: 400; }
svg.forest { vertical-align: middle; margin-left: .4rem; width: 112px; height: 18px; overflow: visible; }
svg.forest .zero { stroke: var(--line); } svg.forest .bar { stroke: var(--soft); stroke-width: 1.5; }
svg.forest .dot { fill: var(--soft); } svg.forest .sure .bar, svg.forest .sure.good .bar { stroke: var(--good); }
svg.forest .sure.good .dot { fill: var(--good); } svg.forest .sure.bad .dot { fill: var(--bad); } svg.forest .sure.bad .bar { stroke: var(--bad); }
.pictures { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 20rem), 1fr)); gap: 1rem; }
.pictures.few { grid-template-columns: repeat(auto-fit, minmax(min(100%, 26rem), 1fr)); }
figure { margin: 0; }
figure button { display: block; width: 100%; padding: .75rem; border: 0; border-radius: 0; background: #fff; cursor: zoom-in; }
figure img { display: block; max-width: 100%; max-height: 26rem; margin: 0 auto; }
figure img.pixels { image-rendering: pixelated; }
figcaption { padding: .55rem .85rem; font-size: .82rem; color: var(--soft); border-top: 1px solid var(--line); }
figcaption b { color: var(--ink); font-weight: 600; }
details { margin-top: .8rem; border: 1px solid var(--line); border-radius: .6rem; background: var(--card); }
summary { cursor: pointer; padding: .5rem .85rem; font-size: .88rem; color: var(--soft); overflow-wrap: anywhere; }
summary b { color: var(--ink); font-weight: 600; }
details > div { padding: 0 .85rem .85rem; }
.command { display: flex; gap: .6rem; align-items: center; margin: .4rem 0 .8rem; }
code, pre { font: .82rem/1.5 ui-monospace, "DejaVu Sans Mono", monospace; }
.command code { flex: 1; min-width: 0; overflow-x: auto; white-space: pre; background: var(--tint); padding: .45rem .7rem; border-radius: .45rem; }
pre { overflow: auto; max-height: 24rem; margin: 0; background: var(--paper); padding: .7rem; border-radius: .45rem; }
.failed { border-left: 3px solid var(--bad); padding: .4rem .85rem; color: var(--ink); font-size: .88rem; margin: .8rem 0; background: var(--card); }
dialog { border: 0; padding: 0; margin: auto; max-width: 96vw; max-height: 94vh; background: #fff; border-radius: .8rem; overflow: auto; }
dialog::backdrop { background: rgb(10 12 16 / .8); }
dialog img { display: block; width: auto; min-width: min(90vw, 60rem); max-width: 94vw; max-height: 86vh; object-fit: contain; padding: 1rem; }
dialog p { margin: 0; padding: .6rem 1rem; font-size: .85rem; color: #444; border-top: 1px solid #ddd; }
footer { color: var(--soft); font-size: .8rem; border-top: 1px solid var(--line); padding: 1rem 0 2rem; }
@media (max-width: 40rem) { body { font-size: 15px; } th, td { padding: .5rem .6rem; } section { margin: 1.75rem 0 2.25rem; }
  svg.forest { width: 96px; } td:first-child { white-space: normal; min-width: 8.5rem; }
  tr.baseline td:first-child::after { display: block; width: max-content; margin: .15rem 0 0; } }
@media print { header button, nav { display: none; } .card { box-shadow: none; } }
)css";

const char* const kReportScript = R"js(
"use strict";
for (const table of document.querySelectorAll("table")) {
  const body = table.tBodies[0];
  const heads = [...table.tHead.rows[0].cells];
  heads.forEach((head, column) => head.querySelector("button")?.addEventListener("click", () => {
    const down = head.getAttribute("aria-sort") === "ascending";
    heads.forEach(other => other.removeAttribute("aria-sort"));
    head.setAttribute("aria-sort", down ? "descending" : "ascending");
    const key = row => row.cells[column].dataset.value ?? row.cells[column].textContent;
    const number = text => text === "" ? NaN : Number(text);
    [...body.rows].sort((a, b) => {
      const x = key(a), y = key(b), p = number(x), q = number(y);
      if (Number.isNaN(p) !== Number.isNaN(q) && (x === "" || y === "")) return x === "" ? 1 : -1;
      const order = Number.isNaN(p) || Number.isNaN(q) ? x.localeCompare(y) : p - q;
      return down ? -order : order;
    }).forEach(row => body.append(row));
  }));
}
const dialog = document.querySelector("dialog");
for (const button of document.querySelectorAll("figure button")) {
  button.addEventListener("click", () => {
    const image = button.querySelector("img"), large = dialog.querySelector("img");
    large.src = image.src;
    large.alt = image.alt;
    large.className = image.className;
    large.style.imageRendering = image.classList.contains("pixels") ? "pixelated" : "auto";
    dialog.querySelector("p").textContent = image.alt;
    dialog.showModal();
  });
}
dialog.addEventListener("click", () => dialog.close());
for (const button of document.querySelectorAll(".command button")) {
  button.addEventListener("click", async () => {
    const code = button.parentElement.querySelector("code");
    try {
      await navigator.clipboard.writeText(code.textContent);
      button.textContent = "copied";
    } catch {
      getSelection().selectAllChildren(code);
      button.textContent = "selected";
    }
    setTimeout(() => button.textContent = "copy", 1500);
  });
}
document.querySelector("#theme").addEventListener("click", () => {
  const root = document.documentElement;
  const dark = root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
  root.dataset.theme = dark ? "light" : "dark";
});
)js";

}  // namespace sextant::commands
