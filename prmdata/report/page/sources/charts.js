// The figures of the first screen, drawn as SVG. Every one has a table behind it for readers' tools.

const WIDTH = 360;
const HEIGHT = 240;
const EDGE = { left: 52, right: 14, top: 14, bottom: 38 };

function scales(low, high, lowY, highY) {
  const inner = { w: WIDTH - EDGE.left - EDGE.right, h: HEIGHT - EDGE.top - EDGE.bottom };
  return {
    x: (value) => EDGE.left + ((value - low) / (high - low || 1)) * inner.w,
    y: (value) => EDGE.top + (1 - (value - lowY) / (highY - lowY || 1)) * inner.h,
  };
}

function frame(title, ...marks) {
  return svg("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: "img", "aria-label": title, class: "chart" }, marks);
}

function axes({ x, y }, xs, ys, label, labelY) {
  return [
    ys.map(([value, text]) => [
      svg("line", { class: "grid", x1: EDGE.left, x2: WIDTH - EDGE.right, y1: y(value), y2: y(value) }),
      svg("text", { class: "tick", x: EDGE.left - 7, y: y(value) + 3.5, "text-anchor": "end" }, text),
    ]),
    xs.map(([value, text]) => svg("text", { class: "tick", x: x(value), y: HEIGHT - EDGE.bottom + 15, "text-anchor": "middle" }, text)),
    svg("text", { class: "axis", x: (EDGE.left + WIDTH - EDGE.right) / 2, y: HEIGHT - 5, "text-anchor": "middle" }, label),
    labelY && svg("text", { class: "axis", x: 11, y: (EDGE.top + HEIGHT - EDGE.bottom) / 2, "text-anchor": "middle", transform: `rotate(-90 11 ${(EDGE.top + HEIGHT - EDGE.bottom) / 2})` }, labelY),
  ];
}

const tip = (text) => svg("title", {}, text);
const shares = [0, 0.25, 0.5, 0.75, 1].map((share) => [share, percent(share)]);

// Wilson's interval of a share of `of`.
function wilson(share, of) {
  const z = 1.96;
  const middle = (share + (z * z) / (2 * of)) / (1 + (z * z) / of);
  const half = (z / (1 + (z * z) / of)) * Math.sqrt((share * (1 - share)) / of + (z * z) / (4 * of * of));
  return [Math.max(middle - half, 0), Math.min(middle + half, 1)];
}

function reliabilityChart(bins) {
  const at = scales(0, 1, 0, 1);
  const most = Math.max(...bins.map(([count]) => count));
  return frame(
    "How often labels are exact, by their confidence",
    axes(at, shares, shares, "confidence", "share exact"),
    svg("line", { class: "ideal", x1: at.x(0), y1: at.y(0), x2: at.x(1), y2: at.y(1) }),
    bins.map(([count, confidence, exact]) => {
      const [low, high] = wilson(exact, count);
      return svg("g", {},
        svg("line", { class: "whisker", x1: at.x(confidence), x2: at.x(confidence), y1: at.y(low), y2: at.y(high) }),
        svg("circle", { class: "point", cx: at.x(confidence), cy: at.y(exact), r: 3 + 6 * Math.sqrt(count / most) }),
        tip(`${number(count)} labels claim ${percent(confidence)}; ${percent(exact)} are exact (95 % interval ${percent(low)} to ${percent(high)})`));
    }),
  );
}

function costChart(all) {
  const methods = all.slice(0, 12);
  const tokens = methods.map((one) => Math.max(one.tokens_per_trace, 1));
  const low = Math.min(...tokens.map((t) => Math.log10(t))) - 0.2;
  const high = Math.max(...tokens.map((t) => Math.log10(t))) + 0.45;
  const at = scales(low, high, 0, 1);
  const decades = [];
  for (let power = Math.ceil(low); power <= high; power++) decades.push([power, short(10 ** power)]);
  if (decades.length < 2) decades.splice(0, 1, ...[Math.min(...tokens), Math.max(...tokens)].map((t) => [Math.log10(t), short(t)]));
  const places = [];
  return frame(
    "F1 against the tokens that a trace cost",
    axes(at, decades, shares, "generated tokens a trace (log)", "F1"),
    methods.map((one, i) => {
      const x = at.x(Math.log10(tokens[i]));
      const y = at.y(one.f1 ?? 0);
      let below = y + 3.5;
      while (places.some(([px, py]) => Math.abs(px - x) < 90 && Math.abs(py - below) < 12)) below += 12;
      places.push([x, below]);
      const left = x > WIDTH * 0.66;
      return svg("g", {},
        one.own ? svg("circle", { class: "point", cx: x, cy: y, r: 6 }) : svg("rect", { class: "point other", x: x - 4.5, y: y - 4.5, width: 9, height: 9, transform: `rotate(45 ${x} ${y})` }),
        svg("text", { class: one.own ? "name own" : "name", x: x + (left ? -10 : 10), y: below, "text-anchor": left ? "end" : "start" }, brief(one.name, 24)),
        tip(`${brief(one.name)}: F1 ${(one.f1 ?? 0).toFixed(3)} for ${number(one.tokens_per_trace)} tokens a trace`));
    }),
  );
}

// Bars side by side: labels, and the truth where it is known.
function placesChart(labels, truth) {
  const bars = Math.max(labels.length, truth.length, 1);
  const most = Math.max(1, ...labels, ...truth);
  const at = scales(0, bars, 0, most);
  const step = Math.ceil(bars / 12);
  const numbers = Array.from({ length: bars }, (_, i) => [i + 0.5, i === 23 ? "24+" : i % step ? "" : `${i + 1}`]);
  const w = at.x(1) - at.x(0);
  const bar = (counts, kind, from, width) => counts.map((count, i) => count > 0 &&
    svg("rect", { class: `bar ${kind}`, x: at.x(i) + w * from, width: Math.max(w * width - 1, 1), y: at.y(count), height: at.y(0) - at.y(count) },
      tip(`step ${i + 1}: ${number(count)} ${kind === "true" ? "by the truth" : "by the labels"}`)));
  const both = truth.length > 0;
  return frame("Where the first wrong steps are", axes(at, numbers, counted(most), "step", "traces"),
    bar(labels, "labelled", 0.12, both ? 0.38 : 0.76), both && bar(truth, "true", 0.5, 0.38));
}

function confidenceChart(tenths) {
  const most = Math.max(1, ...tenths);
  const at = scales(0, 1, 0, most);
  const w = at.x(0.1) - at.x(0);
  return frame("Confidence of the labels", axes(at, shares, counted(most), "confidence", "labels"),
    tenths.map((count, i) => count > 0 && svg("rect", { class: "bar labelled", x: at.x(i / 10) + 1, width: w - 2, y: at.y(count), height: at.y(0) - at.y(count) },
      tip(`${number(count)} labels claim ${10 * i} to ${10 * i + 10} %`))));
}

function counted(most) {
  const unit = 10 ** Math.floor(Math.log10(most));
  const step = [0.2, 0.5, 1, 2, 5].map((part) => Math.max(Math.round(part * unit), 1)).find((size) => most / size <= 4) ?? unit;
  return Array.from({ length: Math.floor(most / step) + 1 }, (_, i) => [i * step, short(i * step)]);
}

function table(head, rows, name) {
  return el("div", { class: "scroll", tabindex: 0, role: "region", "aria-label": name },
    el("table", {}, el("caption", { class: "away" }, name),
      el("thead", {}, el("tr", {}, head.map((cell) => el("th", { scope: "col" }, cell)))),
      el("tbody", {}, rows.map((cells) => el("tr", {}, cells.map((cell, i) => el(i ? "td" : "th", i ? {} : { scope: "row" }, cell)))))));
}
