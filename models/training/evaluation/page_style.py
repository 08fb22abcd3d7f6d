"""The page's style sheet: no font and nothing else from elsewhere; light and dark by the reader's own choice."""

STYLE = """
:root { --paper: #fbfaf8; --card: #ffffff; --ink: #1d2330; --soft: #667085; --rule: #e4e2dd; --main: #1f6f78;
  --other: #d1722b; --warn: #fdf1dc; --warn-ink: #7a4a06; --faint: #1f6f7822; }
@media (prefers-color-scheme: dark) { :root { --paper: #14171c; --card: #1c2027; --ink: #e8e6e1; --soft: #98a2b3;
  --rule: #2e343d; --main: #58b9c2; --other: #f0a05e; --warn: #3a2d14; --warn-ink: #f3cf94; --faint: #58b9c22e; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--paper); color: var(--ink); font: 15px/1.5 system-ui, "Segoe UI", sans-serif; }
main { max-width: 1120px; margin: 0 auto; padding: 40px 24px 64px; }
h1 { font-size: 28px; line-height: 1.2; margin: 0 0 6px; letter-spacing: -0.01em; text-wrap: balance; }
h2 { font-size: 19px; margin: 44px 0 4px; }
h3 { font-size: 15px; margin: 0 0 8px; }
p { margin: 0 0 12px; max-width: 75ch; }
.soft, small { color: var(--soft); }
.warning { background: var(--warn); color: var(--warn-ink); padding: 10px 14px; border-radius: 8px; margin: 10px 0;
  max-width: none; }
.tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(230px, 1fr)); gap: 12px; margin: 22px 0; }
.tile, .card { background: var(--card); border: 1px solid var(--rule); border-radius: 10px; padding: 14px 16px; }
.tile b { display: block; font-size: 27px; line-height: 1.2; font-variant-numeric: tabular-nums; font-weight: 600; }
.tile span { display: block; color: var(--soft); font-size: 13px; }
.tile.first b { color: var(--main); }
.pair { display: grid; grid-template-columns: repeat(auto-fit, minmax(330px, 1fr)); gap: 16px; align-items: start; }
.card { overflow-x: auto; margin-top: 12px; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; font-size: 14px; }
th { text-align: left; font-weight: 500; color: var(--soft); font-size: 12.5px; }
th, td { padding: 5px 12px 5px 0; border-bottom: 1px solid var(--rule); white-space: nowrap; }
tr:last-child td { border-bottom: 0; }
td.n, th.n { text-align: right; }
th.part { padding-top: 16px; color: var(--ink); font-size: 14px; font-weight: 600; white-space: normal; }
th.part small { font-weight: 400; }
svg.square { width: 100%; max-width: 440px; display: block; margin: 0 auto; }
svg.cell { width: 220px; height: 18px; display: block; }
svg text { fill: var(--soft); font-size: 9.5px; }
svg text.name { fill: var(--ink); font-size: 11px; }
.axis { stroke: var(--soft); fill: none; stroke-width: 1; }
.grid { stroke: var(--rule); stroke-width: 1; }
.guide { stroke: var(--soft); stroke-width: 1; stroke-dasharray: 3 3; }
.dots circle { fill: var(--main); opacity: 0.35; }
.dot { fill: var(--main); } .dot.other { fill: var(--other); }
.whisker { stroke: var(--main); stroke-width: 2; } .whisker.other { stroke: var(--other); }
.line { fill: none; stroke: var(--main); stroke-width: 2; }
.line.other { stroke: var(--other); stroke-dasharray: 4 3; }
.band { fill: var(--faint); }
.bar { fill: var(--main); opacity: 0.55; } .bar.other { fill: var(--other); opacity: 0.55; }
.key { white-space: nowrap; margin-right: 6px; }
.key::before { content: ""; display: inline-block; width: 10px; height: 10px; border-radius: 5px; margin-right: 5px;
  background: var(--main); }
.key.other::before { background: var(--other); }
.faces { display: grid; grid-template-columns: repeat(auto-fill, minmax(118px, 1fr)); gap: 12px; margin-top: 14px; }
figure { margin: 0; background: var(--card); border: 1px solid var(--rule); border-radius: 8px; overflow: hidden; }
figure img { display: block; width: 100%; aspect-ratio: 1; object-fit: cover; }
figure .none { aspect-ratio: 1; display: grid; place-items: center; color: var(--soft); }
figcaption { padding: 6px 8px; font-size: 12px; line-height: 1.35; font-variant-numeric: tabular-nums; }
figcaption i { display: block; position: relative; height: 6px; border-radius: 3px; background: var(--rule);
  margin: 3px 0 5px; }
figcaption i::before, figcaption i::after { content: ""; position: absolute; top: -2px; width: 4px; height: 10px;
  border-radius: 2px; }
figcaption i::before { left: calc(var(--truth) * (100% - 4px)); background: var(--ink); }
figcaption i::after { left: calc(var(--value) * (100% - 4px)); background: var(--other); }
figcaption span { color: var(--soft); overflow-wrap: anywhere; }
footer { margin-top: 48px; border-top: 1px solid var(--rule); padding-top: 14px; color: var(--soft); font-size: 13px; }
"""
