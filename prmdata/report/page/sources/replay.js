// The search of a label, probe by probe: where each rollout began, where it left the trace, how it ended.

// Probes in their order: of `posterior` as it kept them, of halving and walking as they must have been.
function probesOf(labelled) {
  const labels = labelled.labels;
  const own = labels && labelled.evidence.find((one) => one.name === labels.by && one.kind === "rollouts");
  if (!own) return null;
  if (own.search?.length) return own.search.map((round) => ({
    belief: round.belief.map((thousandths) => thousandths / 1000),
    probes: round.starts.map((start, i) => ({ start, left: round.left[i], end: { h: "hit", s: "same", m: "miss" }[round.ends[i]] })),
  }));
  const order = { bisect: halved, forward: walked }[labels.by];
  return order && own.rollouts.some((count) => count) ? order(own, labelled.steps?.length || own.rollouts.length) : null;
}

function probed(own, after) {
  const rollouts = own.rollouts[after - 1];
  const hits = own.hits[after - 1];
  return { belief: null, probes: Array.from({ length: rollouts }, (_, i) => ({ start: after, left: after, end: i < hits ? "hit" : "miss" })) };
}

function halved(own, steps) {
  const rounds = [];
  let [low, high] = [0, steps];
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (!own.rollouts[middle - 1]) break;
    rounds.push(probed(own, middle));
    if (own.hits[middle - 1]) low = middle;
    else high = middle;
  }
  return rounds;
}

const walked = (own) => own.rollouts.flatMap((count, i) => (count ? [probed(own, i + 1)] : []));

const player = { rounds: [], at: 0, labelled: null, item: null };

function replay(item, labelled) {
  player.rounds = probesOf(labelled) ?? [];
  player.at = player.rounds.length;
  player.labelled = labelled;
  player.item = item;
  if (!player.rounds.length) return el("section", { class: "replay" }, el("p", { class: "faint" }, noSearch(labelled)));
  queueMicrotask(() => turn(player.at));
  return el("section", { class: "replay", id: "replay", "aria-label": "Replay of the search" },
    el("div", { class: "line" },
      el("button", { type: "button", title: "Back (←)", onclick: () => turn(player.at - 1) }, "←"),
      el("input", { type: "range", id: "round", min: 0, max: player.rounds.length, value: player.at, "aria-label": "Round of the search", oninput: (event) => turn(Number(event.target.value)) }),
      el("button", { type: "button", title: "On (→)", onclick: () => turn(player.at + 1) }, "→"),
      el("span", { id: "when", class: "faint" })),
    el("div", { class: "scroll", tabindex: 0, role: "region", "aria-label": "Probes in order" }, searchChart(item.trace.steps.length)),
    el("p", { class: "key faint" }, "●\u2009ends right  ○\u2009ends wrong  ◐\u2009ends wrong with the same answer. A stem is what a rollout wrote again, word for word."),
    el("div", { id: "probe" }));
}

function noSearch(labelled) {
  if (!labelled.labels) return "This trace has no label.";
  if (!labelled.labels.examined) return "No search was made: the trace ends right, and was taken at its word.";
  return `The record of ${labelled.labels.by} does not keep the order of its probes; what they found stands beside the steps.`;
}

const GAP = 13;

function searchChart(steps) {
  const height = 14 * steps + 26;
  let x = 30;
  const marks = [];
  const y = (after) => 12 + 14 * after;
  for (let after = 0; after <= steps; after++) {
    marks.push(svg("line", { class: "grid", x1: 24, x2: "100%", y1: y(after), y2: y(after) }), (steps <= 24 || after % 5 === 0) && svg("text", { class: "tick", x: 18, y: y(after) + 3.5, "text-anchor": "end" }, after));
  }
  player.rounds.forEach((round, r) => {
    const from = x;
    round.probes.forEach((probe, i) => {
      marks.push(probeMark(probe, x, y, r, i));
      x += GAP;
    });
    marks.push(svg("rect", { class: "round", "data-round": r, x: from - 7, width: x - from + 1, y: 2, height: height - 16 }));
    x += 9;
  });
  return svg("svg", { class: "search", width: Math.max(x, 120), height, role: "img", "aria-label": "Probes in order, by the step after which they began" }, marks);
}

function probeMark(probe, x, y, r, i) {
  const node = svg("g", { class: `probe ${probe.end}`, "data-round": r, tabindex: -1, onclick: () => { turn(r + 1); showProbe(r, i); } },
    probe.left > probe.start && svg("line", { class: "stem", x1: x, x2: x, y1: y(probe.start), y2: y(probe.left) }),
    svg("circle", { cx: x, cy: y(probe.left), r: 4.5 }),
    probe.end === "same" && svg("path", { class: "half", d: `M ${x} ${y(probe.left) - 4.5} a 4.5 4.5 0 0 0 0 9 z` }),
    tip(`round ${r + 1}: from after step ${probe.start}${probe.left > probe.start ? `, wrote on to step ${probe.left}` : ""}: ${ENDS[probe.end]}`));
  return node;
}

const ENDS = { hit: "ends right", miss: "ends wrong", same: "ends wrong with the trace's own answer" };

// The belief after so many rounds.
function turn(at) {
  player.at = Math.max(0, Math.min(at, player.rounds.length));
  const slider = $("#round");
  if (!slider) return;
  slider.value = player.at;
  const bought = player.rounds.slice(0, player.at).reduce((sum, round) => sum + round.probes.length, 0);
  $("#when").textContent = `${player.at ? `after round ${player.at} of ${player.rounds.length}` : "before any rollout"}, ${plural(bought, "rollout")}`;
  for (const node of document.querySelectorAll("#replay [data-round]")) {
    const round = Number(node.dataset.round);
    node.classList.toggle("ahead", round >= player.at);
    node.classList.toggle("now", round === player.at - 1);
  }
  const end = firsts(player.labelled.labels, player.item.trace.steps.length);
  shown.belief = player.rounds[player.at]?.belief ?? end;
  drawBelief(shown.belief);
  showRound(player.at - 1);
}

function showRound(r) {
  const box = $("#probe");
  box.replaceChildren();
  if (r < 0) return;
  const { probes } = player.rounds[r];
  const starts = [...new Set(probes.map((probe) => probe.start))];
  add(box, [el("p", {}, `Round ${r + 1} bought `, starts.map((start, i) => {
    const some = probes.filter((probe) => probe.start === start);
    const hits = some.filter((probe) => probe.end === "hit").length;
    return [i > 0 && ", ", `${plural(some.length, "rollout")} after step ${start} (${hits} of ${some.length} right)`];
  }), ".")]);
}

function showProbe(r, i) {
  const probe = player.rounds[r].probes[i];
  const nth = player.rounds.slice(0, r + 1).flatMap((round, at) => round.probes.slice(0, at === r ? i : undefined)).filter((one) => one.start === probe.start).length;
  const text = (player.item.rollouts[state.file] ?? player.item.rollouts.find(Boolean))?.[probe.start]?.[nth];
  add($("#probe"), [el("div", { class: "rollout" },
    el("p", {}, el("b", {}, `From after step ${probe.start}: ${ENDS[probe.end]}`), text?.answer != null && [", answer ", el("bdi", { class: "said" }, text.answer)]),
    text ? el("div", { class: "prose" }, prose(text.text)) : el("p", { class: "faint" }, "Its text is in the store; `prmdata report --rollouts STORE` takes the texts in."))]);
}
