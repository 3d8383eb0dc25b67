// One trace: its problem, its steps as cards, and beside each what is believed and why.

const TABS = [["steps", "Steps"], ["replay", "Search"], ["siblings", "Siblings"], ["raw", "Record"]];
const shown = { item: null, raw: false, belief: null };

async function tracePane(pane) {
  const row = state.row;
  if (row < 0) {
    pane.replaceChildren(el("p", { class: "loading" }, list.rows.length ? "Choose a trace: click one, or press j." : "No trace fits."));
    return;
  }
  if (shown.item?.row !== row) {
    const item = await whole(row);
    if (state.row !== row) return;
    shown.item = item;
    pane.scrollTop = 0;
  }
  drawTrace(pane);
}

function drawTrace(pane) {
  const { item } = shown;
  const labelled = item.files[state.file] ?? item.trace;
  shown.belief = null;
  pane.replaceChildren();
  add(pane, [
    traceHead(item, labelled),
    el("nav", { class: "tabs", "aria-label": "Of this trace" }, TABS.map(([name, text]) => tabLink(name, text, item))),
    el("div", { class: "body", id: "body" }),
  ]);
  const body = $("#body", pane);
  if (state.tab === "raw") add(body, [recordView(item)]);
  else if (state.tab === "siblings") siblings(body, item);
  else {
    if (state.tab === "replay") add(body, [replay(item, labelled)]);
    add(body, [question(item.trace), el("ol", { class: "steps", id: "steps" }, stepCards(item, labelled)), foot(item, labelled)]);
  }
  if (state.step >= 0) markStep(state.step, true);
}

function tabLink(name, text, item) {
  const now = name === state.tab;
  return el("a", { href: address({ tab: name }), class: now ? "now" : "", "aria-current": now ? "page" : null },
    text, name === "siblings" && el("span", { class: "faint" }, ` ${rowsOfProblem(item.row).length}`));
}

function traceHead({ trace, truth, files }, labelled) {
  const [kind, word] = ending(trace);
  const labels = labelled.labels;
  const tally = trace.group;
  return el("header", { class: "head" },
    el("div", { class: "line" },
      el("a", { class: "back", href: address({ id: null, row: -1, step: -1, tab: "steps" }), "aria-label": "Back to the list" }, "←"),
      el("h1", {}, el("bdi", {}, trace.id)),
      el("span", { class: `ending ${kind}` }, word)),
    el("p", { class: "answer" }, trace.answer !== null && ["answer ", el("bdi", { class: "said" }, trace.answer)],
      trace.problem.answer !== null && [el("span", { class: "faint" }, " gold "), el("bdi", { class: "said" }, trace.problem.answer)],
      tally && el("span", { class: "faint" }, ` · ${tally.right} of ${tally.n} samples right`)),
    files.length > 1 ? filesTable(files, truth) : labels && el("p", { class: "verdict" }, labelLine(labels)),
    truthLine(truth, labels));
}

function labelLine(labels) {
  const { tokens, rollouts, calls } = labels.cost;
  return [el("b", {}, verdictOf(labels)), labels.confidence !== null && `, confidence ${labels.confidence.toFixed(2)}`,
    el("span", { class: "faint" }, ` by ${labels.by}`, tokens > 0 && ` · ${number(tokens)} tokens, ${plural(rollouts, "rollout")}`, calls > 0 && ` · ${plural(calls, "judgement")}`)];
}

const firstWrong = (evidence) => evidence.verdicts.indexOf("wrong");

function truthLine(truth, labels) {
  if (!truth?.verdicts.length) return null;
  const first = firstWrong(truth);
  const told = first < 0 ? "no step is wrong" : `step ${first + 1} is the first wrong one`;
  const decided = labels && !undecided(labels);
  const same = decided && (labels.first_error ?? -1) === first;
  return el("p", { class: "truth" }, el("span", { class: "badge" }, "truth"), ` ${told}`, first >= 0 && truth.notes[first] && ` (${truth.notes[first]})`,
    decided && el("span", { class: same ? "agree" : "differ" }, same ? " · the label agrees" : " · the label differs"));
}

function filesTable(files, truth) {
  const first = truth?.verdicts.length ? firstWrong(truth) : null;
  return table(["file", "first wrong step", "confidence", "by", "tokens", ""], files.map((trace, i) => {
    const labels = trace?.labels;
    const exact = labels && first !== null && !undecided(labels) && (labels.first_error ?? -1) === first;
    return [el("button", { type: "button", class: "link", "aria-pressed": String(i === state.file), onclick: () => go({ file: i }, true) }, `${letter(i)} `, facts.files[i].name),
      !trace ? "not in this file" : !labels ? "no label" : undecided(labels) ? "undecided" : labels.first_error === null ? "none" : labels.first_error + 1,
      labels?.confidence?.toFixed(2) ?? "", labels?.by ?? "", labels ? number(labels.cost.tokens) : "",
      first === null || !labels ? "" : exact ? "exact" : "not exact"];
  }), "Labels by file");
}

function question(trace) {
  return el("section", { class: "question" }, el("h2", { class: "away" }, "Problem"), el("div", { class: "prose" }, shown.raw ? trace.problem.question : prose(trace.problem.question)));
}

function stepCards(item, labelled) {
  const belief = firsts(labelled.labels, item.trace.steps.length);
  const decided = labelled.labels?.values.every((value) => value === 0 || value === 1);
  const own = labelled.evidence.filter((one) => one.kind !== "truth").map((one) => (one.name === labelled.labels?.by ? { ...one, verdicts: [] } : one));
  const truth = item.truth?.verdicts.length ? firstWrong(item.truth) : -1;
  return item.trace.steps.map((step, i) => stepCard(step, i, {
    kind: markOf(labelled.labels, i),
    belief: belief?.[i],
    value: decided ? null : labelled.labels?.values[i],
    chips: own.map((one) => chipOf(one, i)).filter(Boolean),
    truth: i === truth,
    others: facts.files.length > 1 ? item.files.map((one) => one && markOf(one.labels, i)) : [],
  }));
}

function stepCard(step, i, { kind, belief, value, chips, truth, others }) {
  return el("li", { class: `step ${kind} ${step.kind}`, id: `step-${i}`, "data-step": i, onclick: () => markStep(i) },
    el("div", { class: "gutter" }, el("span", { class: "number" }, i + 1), others.length ? others.map((one, f) => one && el("span", { class: "of" }, letter(f), mark(one))) : mark(kind)),
    el("div", { class: "text" },
      step.kind !== "thought" && el("span", { class: "kind" }, step.kind.replace("_", " ")),
      stepText(step, shown.raw),
      (chips.length > 0 || truth) && el("div", { class: "chips" }, truth && el("span", { class: "chip badge" }, "first error by the truth"), chips)),
    belief !== undefined && el("div", { class: "belief", title: "P(this step is the first wrong one)" }, el("span", { class: "fill" }), el("span", { class: "share" })),
    belief === undefined && value !== null && value !== undefined && el("div", { class: "belief value", title: "value of this step" }, el("span", { class: "share" }, value.toFixed(2))));
}

// The belief's bars, drawn for the end of the search or for a moment of it.
function drawBelief(belief) {
  if (!belief) return;
  document.querySelectorAll("#steps .step").forEach((card, i) => {
    const box = $(".belief", card);
    if (!box) return;
    const share = belief[i] ?? 0;
    $(".fill", box).style.setProperty("width", `${Math.max(100 * share, share > 0.005 ? 2 : 0)}%`);
    $(".share", box).textContent = share < 0.005 ? "" : share < 0.01 ? "<1%" : percent(share);
  });
  const none = $("#no-step");
  if (none) none.textContent = percent(belief.at(-1) ?? 0);
}

function foot(item, labelled) {
  const belief = firsts(labelled.labels, item.trace.steps.length);
  queueMicrotask(() => drawBelief(shown.belief ?? belief));
  return belief && el("p", { class: "foot faint" }, "no step is wrong: ", el("b", { id: "no-step" }));
}

function markStep(i, quietly) {
  const cards = document.querySelectorAll("#steps .step");
  if (!cards.length) return;
  const at = Math.max(0, Math.min(i, cards.length - 1));
  cards.forEach((card, place) => card.classList.toggle("now", place === at));
  cards[at].scrollIntoView({ block: "nearest" });
  if (!quietly && at !== state.step) {
    state.step = at;
    history.replaceState(null, "", address());
  }
}

function recordView({ trace, files }) {
  return el("div", {}, el("p", { class: "faint" }, "The record as it stands in the file, bytes that steer shown as signs."),
    files.map((one, i) => one && [files.length > 1 && el("h3", {}, facts.files[i].name), el("pre", { class: "code" }, JSON.stringify(one === trace ? trace : { ...one, problem: undefined, steps: undefined }, null, 2))]));
}
