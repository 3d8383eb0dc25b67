// The problem's traces, aligned where they begin alike: an icicle whose height is the share of traces.

const TREE = { column: 132, row: 26, most: 400 };

async function siblings(body, item) {
  const rows = rowsOfProblem(item.row);
  const some = rows.slice(0, TREE.most);
  add(body, [el("p", { class: "loading" }, "Reading the problem's traces …")]);
  const items = await wholes(some);
  if (shown.item !== item || state.tab !== "siblings") return;
  body.replaceChildren();
  const root = grown(items);
  add(body, [question(item.trace),
    el("p", { class: "faint" }, `${plural(rows.length, "trace")} of this problem${rows.length > some.length ? `; the first ${TREE.most} are drawn` : ""}. Steps that are the same stand in one cell; its colour is the mean value of its traces there, or the share that ends right. `,
      el("a", { href: address({ problem: column.problem[item.row], chips: new Set() }) }, "List them")),
    el("div", { class: "scroll icicle", tabindex: 0, role: "region", "aria-label": "Tree of the problem's traces" }, icicle(root, item))]);
}

function grown(items) {
  const root = { text: null, depth: 0, below: new Map(), items: [], value: [] };
  for (const item of items) {
    let node = root;
    node.items.push(item);
    const labels = (item.files[state.file] ?? item.trace).labels;
    item.trace.steps.forEach((step, i) => {
      const key = step.text.trim();
      if (!node.below.has(key)) node.below.set(key, { text: step.text, depth: i + 1, below: new Map(), items: [], value: [] });
      node = node.below.get(key);
      node.items.push(item);
      node.value.push(valueAt(item, labels, i));
    });
    node.ends = [...(node.ends ?? []), item];
  }
  return root;
}

// What is believed of a trace after a step: by a tree's own values, else by its labels, else by its end.
function valueAt(item, labels, step) {
  for (const evidence of item.trace.evidence) {
    if (evidence.kind === "rollouts" && evidence.values[step] != null) return evidence.values[step];
  }
  const value = labels?.examined ? labels.values[step] : null;
  if (value != null) return value;
  return item.trace.correct === null ? null : Number(item.trace.correct);
}

function icicle(root, item) {
  const marks = [];
  let deepest = 0;
  const place = (node, top) => {
    let at = top;
    const below = [...node.below.values()].sort((a, b) => b.items.length - a.items.length);
    for (const child of below) at = place(child, at);
    const ending = (node.ends ?? []).length * TREE.row;
    for (const [i, end] of (node.ends ?? []).entries()) marks.push(endCell(end, node.depth, at + i * TREE.row, item));
    at += ending;
    deepest = Math.max(deepest, node.depth);
    if (node.text !== null) marks.push(cell(node, top, at - top, item));
    return at;
  };
  const bottom = place(root, 0);
  return el("div", { class: "tree", style: { height: `${bottom}px`, width: `${(deepest + 1) * TREE.column}px` } }, marks);
}

function cell(node, top, tall, item) {
  const known = node.value.filter((value) => value !== null);
  const mean = known.length ? known.reduce((a, b) => a + b, 0) / known.length : null;
  const own = node.items.some((one) => one.row === item.row);
  const target = own ? item : node.items[0];
  return el("a", {
    class: `cell${own ? " own" : ""}${mean === null ? " unknown" : ""}`, title: `${node.text.trim().slice(0, 400)}\n${plural(node.items.length, "trace")}${mean === null ? "" : `, value ${mean.toFixed(2)}`}`,
    href: address({ id: target.trace.id, row: target.row, tab: "steps", step: node.depth - 1 }),
    style: { left: `${(node.depth - 1) * TREE.column}px`, top: `${top}px`, height: `${tall - 2}px`, width: `${TREE.column - 2}px`, "--value": mean === null ? "0.5" : mean.toFixed(3) },
  }, el("span", { class: "faint" }, mean === null ? "?" : mean.toFixed(2)), " ", node.text.trim().slice(0, 60));
}

function endCell(end, depth, top, item) {
  const [kind, word] = ending(end.trace);
  return el("a", { class: `leaf${end.row === item.row ? " own" : ""}`, href: address({ id: end.trace.id, row: end.row, tab: "steps", step: -1 }), style: { left: `${depth * TREE.column}px`, top: `${top}px` } },
    el("span", { class: `ending ${kind}` }, word), " ", end.trace.answer === null ? "" : el("bdi", {}, end.trace.answer.slice(0, 24)));
}
