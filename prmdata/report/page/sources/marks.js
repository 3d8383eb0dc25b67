// Marks that a colour-blind reader tells apart too: each has a shape of its own and a word.

const MARKS = {
  right: ["✓", "right"],
  wrong: ["✗", "first error"],
  after: ["·", "after the first error"],
  unknown: ["?", "unknown"],
  none: ["", "no label"],
};

function mark(kind) {
  const [sign, word] = MARKS[kind];
  return el("span", { class: `mark ${kind}`, role: "img", "aria-label": word, title: word }, sign);
}

// What a label says of one step.
function markOf(labels, step) {
  if (!labels) return "none";
  const silent = labels.values.length > 0 && labels.values.every((value) => value === null);
  if (silent || !labels.examined) return labels.examined || labels.first_error === null ? "unknown" : "wrong";
  if (labels.first_error === null || step < labels.first_error) return "right";
  return step === labels.first_error ? "wrong" : "after";
}

const undecided = (labels) => labels.values.length > 0 && labels.values.every((value) => value === null);

function verdictOf(labels) {
  if (!labels) return "no label";
  if (undecided(labels)) return "undecided: nothing is known of any step";
  if (labels.first_error !== null) return `first wrong step: ${labels.first_error + 1}`;
  return labels.examined ? "no wrong step found" : "taken at its word: its steps were not examined";
}

// P(first error) for each step, and last: no step is wrong. From the labels' survival.
function firsts(labels, steps) {
  const values = labels?.values ?? [];
  if (!values.length || values.some((value) => value === null)) return null;
  if (labels.confidence === null && values.every((value) => value === 0 || value === 1)) return null; // a decision, no belief
  const found = [];
  for (let i = 0; i < steps; i++) found.push(Math.max((i ? values[i - 1] : 1) - values[i], 0));
  found.push(values[steps - 1] ?? 1);
  return found;
}

function ending(trace) {
  if (trace.error) return ["failed", `failed: ${trace.error}`];
  if (trace.correct === true) return ["right", "ends right"];
  if (trace.correct === false) return ["wrong", "ends wrong"];
  return ["unknown", trace.finish === "length" ? "cut" : trace.grade === "unparsed" ? "answer not read" : "not graded"];
}

// Up to 16 rollouts, those that hit filled.
function dots(hits, rollouts) {
  const drawn = Math.min(rollouts, 16);
  const filled = Math.round((hits * drawn) / rollouts);
  return el("span", { class: "dots", "aria-hidden": "true" }, "●".repeat(filled) + "○".repeat(drawn - filled));
}

// What one piece of evidence says of one step, or nothing.
function chipOf(evidence, step) {
  const verdict = evidence.verdicts[step];
  const note = evidence.notes[step];
  const hits = evidence.hits[step];
  const rollouts = evidence.rollouts[step];
  const value = evidence.values[step];
  const parts = [];
  if (rollouts) parts.push(dots(hits, rollouts), ` ${hits}/${rollouts}`);
  else if (value !== null && value !== undefined) parts.push(value.toFixed(2));
  if (verdict && !(verdict === "unknown" && !note)) parts.unshift(mark(verdict));
  const reward = evidence.rewards[step];
  if (reward !== null && reward !== undefined) parts.push(` reward ${reward.toFixed(2)}`);
  if (!parts.length && !note) return null;
  const long = note && note.length > 60;
  const chip = el("span", { class: "chip evidence" }, el("b", {}, evidence.name), " ", parts, note && !long && el("span", { class: "faint" }, ` ${note}`));
  return long ? el("details", { class: "rationale" }, el("summary", {}, chip), el("div", { class: "prose" }, prose(note))) : chip;
}
