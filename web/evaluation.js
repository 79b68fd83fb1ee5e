/* One evaluation of the report: figures, precision over recall, confusions, classes, slices, the worst
   pictures. `e` is what src/report/evaluations.c writes, `kit` the page's helpers.
   SPDX-License-Identifier: Apache-2.0 */
"use strict";
const drawEvaluation = (e, kit) => {
  const { h, s, section, table, barCell, count, num, plural, words, leaf, thumb } = kit, R = e.result;
  if (!R || !Array.isArray(R.figures)) return;
  const THIN = "\u202f", known = v => v !== null && v !== undefined && v >= 0;
  const figure = v => known(v) ? v.toFixed(3) : "\u2013";
  const between = (lo, hi) => known(lo) && known(hi) ? figure(lo) + "\u2013" + figure(hi) : "";
  const things = { detection: "Objects", classification: "Items", segmentation: "Size" }[e.task] || "Objects";
  const classes = R.classes || [], named = R.class_figures || [];
  const weight = k => classes[k] ? classes[k].truths : 0;
  const common = classes.map((c, k) => k).filter(k => weight(k) > 0 || classes[k].predictions > 0).sort((a, b) => weight(b) - weight(a) || a - b);

  /* ---- the headline ---- */
  const headline = h("dl", { class: "figures" }, R.figures.filter(f => f[1] !== null).map(f =>
    h("div", null, h("dt", null, words(f[0])), h("dd", null, figure(f[1]), h("small", null, between(f[2], f[3]) || "\u00a0")))));

  /* ---- precision over recall ---- */
  function curves() {
    const C = R.curves;
    if (!C) return null;
    const W = 520, H = 330, L = 40, B = 34, T = 10, X = r => L + r * (W - L - 12), Y = p => T + (1 - p) * (H - T - B);
    const name = l => l === "mean" ? "mean of IoU 0.5 to 0.95" : "IoU " + l;
    const plotted = h("div", { class: "pr" });
    const draw = lines => {
      const g = s("svg", { viewBox: "0 0 " + W + " " + H, role: "img", "aria-label": "precision over recall" });
      for (let i = 0; i <= 5; i++) {
        const v = i / 5;
        g.append(s("line", { class: "grid", x1: X(0), x2: X(1), y1: Y(v), y2: Y(v) }), s("line", { class: "grid", x1: X(v), x2: X(v), y1: Y(0), y2: Y(1) }),
          s("text", { x: X(0) - 6, y: Y(v) + 4, "text-anchor": "end" }, v.toFixed(1)), s("text", { x: X(v), y: Y(0) + 16, "text-anchor": "middle" }, v.toFixed(1)));
      }
      g.append(s("text", { x: X(1), y: H - 3, "text-anchor": "end" }, "recall"), s("text", { x: X(0) + 5, y: Y(1) + 13 }, "precision"));
      lines.forEach((l, i) => {
        const n = l.length - 1, d = l.map((p, k) => p < 0 ? "" : (k ? "L" : "M") + X(k / n).toFixed(1) + "," + Y(p / 1000).toFixed(1)).join("");
        g.append(s("path", { class: "l" + i, d }));
      });
      plotted.replaceChildren(g);
    };
    const pick = h("select", { class: "pick", "aria-label": "class" }, h("option", { value: "" }, "all classes"),
      common.filter(k => C.classes[k]).map(k => h("option", { value: k }, classes[k].name)));
    pick.addEventListener("change", () => draw(pick.value === "" ? C.all : C.classes[pick.value]));
    draw(C.all);
    return h("div", null, h("h3", null, "Precision over recall"), pick,
      h("div", { class: "keys" }, C.lines.map((l, i) => h("span", null, h("i", { class: "l" + i }), name(l)))), plotted);
  }

  /* ---- classes ---- */
  function classTable(max) {
    if (common.length === 0) return null;
    const shown = common.slice(0, max), first = named[0];
    const body = h("div", null), all = common.length > max && h("button", { class: "link", type: "button" }, "all " + count(common.length));
    const fill = list => body.replaceChildren(table([["Class", k => classes[k].name], [things, k => count(classes[k].truths), "n"],
      ["", k => h("div", { class: "span" }, h("b", { style: "width:" + (100 * Math.max(0, classes[k].figures[0] || 0)).toFixed(1) + "%" })), "w"],
      ...named.slice(0, 3).map((n, i) => [n, k => figure(classes[k].figures[i]), i ? "n xs" : "n"])], list));
    fill(shown);
    if (all) all.addEventListener("click", () => { fill(common); all.parentNode.remove(); });
    return h("div", null, h("h3", null, words(first) + " by class"), body, all && h("p", { class: "note" }, "The " + count(max) + " largest; ", all));
  }

  /* ---- confusions ---- */
  function confusion(max) {
    const M = R.confusion;
    if (!M || !M.cells || M.cells.length === 0 || common.length === 0) return null;
    const background = e.task === "detection", inside = new Set(common.slice(0, max)), axis = common.slice(0, max);
    const rest = common.length > max, place = new Map(axis.map((k, i) => [k, i]));
    if (rest) axis.push("other classes");
    const other = axis.length - 1, none = axis.length;
    if (background || M.cells.some(c => c[1] < 0)) axis.push(background ? "background" : "no prediction");
    const at = k => k < 0 ? none : inside.has(k) ? place.get(k) : other, n = axis.length, sum = new Float64Array(n * n), row = new Float64Array(n);
    for (const [t, p, c] of M.cells) { sum[at(t) * n + at(p)] += c; row[at(t)] += c; }
    const label = k => typeof k === "string" ? k : classes[k].name, cut = t => t.length > 18 ? t.slice(0, 17) + "\u2026" : t;
    const size = n > 30 ? 13 : n > 14 ? 17 : 34, L = 118, T = 100, W = L + n * size + 40, H = T + n * size + 4;
    const g = s("svg", { viewBox: "0 0 " + W + " " + H, width: W, height: H, role: "img", "aria-label": "matrix of confusions" });
    for (let i = 0; i < n; i++) {
      if (row[i] > 0 || i < none) g.append(s("rect", { class: "back", x: L, y: T + i * size, width: n * size - 1, height: size - 1 }));
      if (row[i] > 0 || i < none) g.append(s("text", { x: L - 6, y: T + (i + 0.5) * size + 3.5, "text-anchor": "end" }, cut(label(axis[i]))));
      g.append(s("text", { transform: "translate(" + (L + (i + 0.5) * size + 3) + "," + (T - 6) + ") rotate(-52)" }, cut(label(axis[i]))));
    }
    for (let i = 0; i < n; i++) for (let k = 0; k < n; k++) {
      const v = sum[i * n + k];
      if (!(v > 0)) continue;
      g.append(s("rect", { class: "cell" + (i === k ? " same" : ""), x: L + k * size, y: T + i * size, width: size - 1, height: size - 1, "fill-opacity": (0.12 + 0.88 * v / row[i]).toFixed(3) },
        s("title", null, label(axis[i]) + " \u2192 " + label(axis[k]) + ": " + count(v) + " (" + (100 * v / row[i]).toFixed(1) + THIN + "%)")));
      if (n <= 14) g.append(s("text", { class: v > row[i] / 2 ? "on" : null, x: L + (k + 0.5) * size, y: T + (i + 0.5) * size + 3.5, "text-anchor": "middle" }, v < 1e4 ? v : (v / 1000).toFixed(0) + "k"));
    }
    const note = background ? "Rows are what is there, columns what was seen, at an overlap of 0.5" + (M.least_score > 0 ? " and scores from " + num(M.least_score) : "") + ". The last column is what was missed, the last row false alarms. Stronger is a larger share of the row."
      : "Rows are the true classes, columns the guesses. Stronger is a larger share of the row.";
    return h("div", { class: "matrix" }, h("h3", null, "Confusions"), h("div", { class: "scroll" }, g), h("p", { class: "note" }, note));
  }

  /* ---- slices ---- */
  function slices() {
    if (!R.slices || R.slices.length === 0) return null;
    const by = [...new Set(R.slices.map(r => r.by))], f = R.figures, shown = f.map((x, i) => i).filter(i => R.slices.some(r => known(r.figures[i][0]))).slice(0, 4);
    if (shown.length === 0) return null;
    const has = (b, key) => R.slices.find(r => r.by === b)[key] !== undefined;
    const span = v => h("div", { class: "span" }, h("b", { style: "width:" + (100 * Math.max(0, v[0])).toFixed(1) + "%" }),
      known(v[1]) && h("i", { style: "left:" + (100 * v[1]).toFixed(1) + "%;width:" + (100 * (v[2] - v[1])).toFixed(1) + "%", title: between(v[1], v[2]) }));
    return by.map(b => h("div", null, h("h3", null, "By " + b),
      table([["Slice", r => r.slice, "slice"], ["Pictures", r => count(r.pictures), "n"], has(b, "truths") && ["Objects", r => count(r.truths), "n xs"],
        ["", r => known(r.figures[shown[0]][0]) ? span(r.figures[shown[0]]) : "", "w"],
        ...shown.map((i, k) => [words(f[i][0]), r => figure(r.figures[i][0]), k ? "n xs" : "n"]), ["95" + THIN + "% of " + words(f[shown[0]][0]), r => between(r.figures[shown[0]][1], r.figures[shown[0]][2]), "n xs"]].filter(Boolean),
      R.slices.filter(r => r.by === b))));
  }

  /* ---- the worst pictures ---- */
  const style = { hit: "found", miss: "missed", false_alarm: "false", confused: "other" };
  function told(b) {
    const score = b[7] === null ? "" : " " + num(b[7], 2);
    return b[0] === "hit" ? b[5] + score : b[0] === "miss" ? "missed: " + b[5] + (b[6] ? ", taken for " + b[6] : "") :
      b[0] === "confused" ? b[6] + score + ", is " + b[5] : b[6] + score;
  }
  function tally(boxes, verdict, at) {
    const n = new Map();
    for (const b of boxes) if (b[0] === verdict) n.set(b[at], (n.get(b[at]) || 0) + 1);
    return [...n].sort((a, b) => b[1] - a[1]).slice(0, 4).map(([k, v]) => (v > 1 ? v + " " : "") + k).join(", ");
  }
  function card(w) {
    const p = w.picture, t = thumb(p.id), guess = e.task === "classification" && w.boxes[0];
    const overlay = t && p.width && w.boxes.some(b => b[1] !== null) && s("svg", { viewBox: "0 0 " + p.width + " " + p.height, "aria-hidden": "true" },
      [...w.boxes].reverse().filter(b => b[1] !== null).map(b => s("rect", { class: style[b[0]], x: b[1], y: b[2], width: Math.max(b[3], 0), height: Math.max(b[4], 0) }, s("title", null, told(b)))));
    const missed = tally(w.boxes, "miss", 5);
    const text = guess ? guess[5] + " \u2192 " + (guess[6] || "nothing") + (guess[7] === null ? "" : ", " + num(guess[7], 2)) :
      p.hits === null ? "1 \u2212 mIoU = " + num(p.harm) :
      [p.misses + " missed" + (missed ? " (" + missed + ")" : ""), plural(p.false_alarms, "false alarm"), p.hits + " found"].join(" \u00b7 ");
    return h("figure", null, h("div", { class: "pic" }, t ? h("img", { src: "data:image/jpeg;base64," + t, alt: leaf(p.uri), loading: "lazy" }) : h("span", null, "no picture"), overlay),
      h("figcaption", null, h("span", { class: "name", title: p.uri }, leaf(p.uri)), h("span", { class: "val" }, text)));
  }
  function worst() {
    if (!e.worst || e.worst.length === 0) return null;
    const drawn = e.worst.some(w => w.boxes.some(b => b[1] !== null));
    return h("div", null, h("h3", null, "Worst pictures"), drawn && h("div", { class: "keys" }, [["missed", "missed object"], ["false", "false alarm"], ["other", "object of another class"], ["found", "found"]]
      .map(k => h("span", null, h("i", { class: k[0] }), k[1]))), h("div", { class: "gallery boxes" }, e.worst.map(card)),
      h("p", { class: "note" }, "More of them: vidimus eval worst " + kit.name + ".vidimus --name " + e.name));
  }

  const counts = Object.entries(R.counts || {}).map(([k, v]) => count(v) + " " + k).join(", ");
  const best = R.best && R.best.f1 > 0 && h("p", { class: "note" }, "F1 is highest, " + figure(R.best.f1) + ", for scores from " + num(R.best.score) + " on: precision " + figure(R.best.precision) + ", recall " + figure(R.best.recall) + ", at an overlap of 0.5.");
  const pr = curves(), table1 = classTable(pr ? 12 : 20);
  section("evaluation-" + e.name, "Evaluation " + e.name, e.task + " of " + leaf(e.prediction) + " against " + leaf(e.truth) + ", " + e.made.slice(0, 16).replace("T", " ") + " UTC: " + counts + ". Below a figure its 95" + THIN + "% interval.",
    h("div", null, headline, best), pr || table1 ? h("div", { class: "pair" }, pr, table1) : null, confusion(36), slices(), worst());
};
