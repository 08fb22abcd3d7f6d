"""The look of the summary's page, and the few lines of JavaScript that sort it."""

STYLE = """
:root{--ink:#1b1b1b;--soft:#555;--paper:#fff;--line:#d5d5d5;--head:#f1f3f5;--mark:#0b57d0}
@media(prefers-color-scheme:dark){:root{--ink:#eee;--soft:#b5b5b5;--paper:#16181b;--line:#3a3d42;--head:#23262b;
--mark:#8ab4f8}}
*{box-sizing:border-box}body{margin:0;background:var(--paper);color:var(--ink);font:14px/1.4 system-ui,sans-serif}
main{padding:1.5rem}h1{font-size:1.4rem;margin:0 0 .3rem}p{color:var(--soft);margin:.3rem 0 1rem;max-width:70ch}
.wide{overflow:auto;max-height:85vh;border:1px solid var(--line)}
table{border-collapse:collapse;width:100%;font-variant-numeric:tabular-nums}
th,td{padding:.3rem .6rem;border-bottom:1px solid var(--line);text-align:left;font-weight:400;vertical-align:top}
.n{text-align:right}thead th{position:sticky;top:0;background:var(--head);vertical-align:bottom}
tbody th{white-space:nowrap}
button{all:unset;cursor:pointer;font-weight:600;display:block;width:100%}
button:focus-visible,.wide:focus-visible{outline:2px solid var(--mark);outline-offset:2px}
[aria-sort=ascending] button::after{content:" \\25b2"}[aria-sort=descending] button::after{content:" \\25bc"}
@media print{.wide{overflow:visible;max-height:none;border:0}table{font-size:9px}thead th{position:static}}
"""

SCRIPT = """
const table = document.querySelector("table"), body = table.tBodies[0], heads = [...table.tHead.rows[0].cells];
heads.forEach((head, column) => head.firstChild.addEventListener("click", () => {
  const down = head.getAttribute("aria-sort") === "ascending", numeric = head.className === "n";
  heads.forEach(other => other.removeAttribute("aria-sort"));
  head.setAttribute("aria-sort", down ? "descending" : "ascending");
  const rows = [...body.rows].map(row => [row.cells[column].textContent, row]);
  const compare = (a, b) => numeric && !isNaN(a) && !isNaN(b) ? a - b : a.localeCompare(b, undefined, {numeric: true});
  rows.sort(([a], [b]) => a === "" || b === "" ? (a === "") - (b === "") : (down ? -1 : 1) * compare(a, b));
  body.append(...rows.map(([, row]) => row));
}));
"""
