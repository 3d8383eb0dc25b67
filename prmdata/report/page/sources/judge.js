// Judging in place, blind: the sample that `prmdata audit` draws, and the file that it writes.

const judging = { at: 0, step: 0, answers: null, other: null, memory: null };
const PLACE = `prmdata judged ${facts.files[0].name} ${facts.rows} ${facts.sample.join(",").slice(0, 200)}`;

// Answers by row: a verdict a step, as far as was judged, or "skipped".
function answers() {
  if (judging.answers) return judging.answers;
  try {
    judging.answers = JSON.parse(localStorage.getItem(PLACE) ?? "{}");
  } catch {
    judging.memory = "This browser keeps nothing for this page: download your answers before you close it.";
    judging.answers = {};
  }
  return judging.answers;
}

function keep(row, answer) {
  answers()[row] = answer;
  try {
    localStorage.setItem(PLACE, JSON.stringify(judging.answers));
  } catch {
    judging.memory = "This browser keeps nothing for this page: download your answers before you close it.";
  }
}

const finished = (row, steps) => {
  const answer = answers()[row];
  return answer === "skipped" || (Array.isArray(answer) && (answer.length === steps || answer.includes("wrong")));
};

function openAt() {
  const next = facts.sample.findIndex((row) => !finished(row, column.steps[row]));
  return next < 0 ? facts.sample.length : next;
}

async function judge(main) {
  judging.at = openAt();
  main.replaceChildren(el("div", { class: "page judge", id: "judge" }));
  await drawJudge();
}

async function drawJudge() {
  const box = $("#judge");
  if (!box) return;
  if (!facts.sample.length) {
    box.replaceChildren(el("p", { class: "loading" }, "There is no trace to judge in this report."));
    return;
  }
  const done = facts.sample.filter((row) => finished(row, column.steps[row])).length;
  const row = facts.sample[judging.at];
  const item = row === undefined ? null : await whole(row);
  box.replaceChildren();
  add(box, [
    el("section", { class: "headline" }, el("h1", {}, "Judge a fair sample"),
      el("p", { class: "faint" }, `Blind: labels and evidence are hidden. For each step press 1 right, 2 wrong, 3 cannot tell; the first wrong step ends a trace. s skips, b goes back. The sample is the one that prmdata audit draws.`),
      judging.memory && el("p", { class: "wary" }, judging.memory)),
    el("div", { class: "line" },
      el("progress", { max: facts.sample.length, value: done, "aria-label": "Judged" }), el("span", {}, `${done} of ${facts.sample.length} judged`),
      el("span", { class: "grow" }),
      el("button", { type: "button", id: "download", disabled: !done, onclick: download }, "Download truth.jsonl"),
      el("label", { class: "button" }, "Compare with another's file", el("input", { type: "file", class: "away", accept: ".jsonl", onchange: (event) => compareWith(event.target.files[0]) }))),
    judging.other && agreementLine(),
    item ? judgedTrace(item) : el("section", { class: "done" }, el("h2", {}, "All are judged."), el("p", {}, "Download truth.jsonl, then: ", el("code", {}, `prmdata score ${facts.files[0].name} --truth truth.jsonl`))),
  ]);
  const now = $(".judge .step.now");
  if (now) now.scrollIntoView({ block: "nearest" });
}

function judgedTrace({ row, trace }) {
  const answer = answers()[row];
  const said = Array.isArray(answer) ? answer : [];
  judging.step = Math.min(said.length, trace.steps.length - 1);
  return el("section", { class: "trace" },
    el("p", { class: "faint" }, `Trace ${judging.at + 1}`, answer === "skipped" && " · skipped"),
    question(trace),
    el("p", { class: "answer" }, trace.problem.answer === null ? "gold unknown" : ["gold ", el("bdi", { class: "said" }, trace.problem.answer)], " · ", trace.answer === null ? "no answer" : ["answer ", el("bdi", { class: "said" }, trace.answer)]),
    el("ol", { class: "steps" }, trace.steps.map((step, i) => el("li", { class: `step ${said[i] ?? "none"}${i === judging.step ? " now" : ""}` },
      el("div", { class: "gutter" }, el("span", { class: "number" }, i + 1), said[i] && mark(said[i])),
      el("div", { class: "text" }, stepText(step, false),
        i === judging.step && el("div", { class: "verdicts" }, [["right", "1"], ["wrong", "2"], ["unknown", "3"]].map(([verdict, key]) =>
          el("button", { type: "button", class: verdict, onclick: () => judged(verdict) }, el("kbd", {}, key), " ", { right: "right", wrong: "wrong", unknown: "cannot tell" }[verdict]))))))));
}

async function judged(verdict) {
  const row = facts.sample[judging.at];
  if (row === undefined) return;
  const before = answers()[row];
  const steps = column.steps[row];
  const said = Array.isArray(before) && !finished(row, steps) ? before : [];
  keep(row, [...said, verdict]);
  if (finished(row, steps)) judging.at = openAfter(judging.at);
  await drawJudge();
}

function openAfter(at) {
  const next = facts.sample.findIndex((row, i) => i > at && !finished(row, column.steps[row]));
  return next < 0 ? openAt() : next;
}

async function skip() {
  if (judging.at >= facts.sample.length) return;
  keep(facts.sample[judging.at], "skipped");
  judging.at = openAfter(judging.at);
  await drawJudge();
}

// Takes back the last verdict of this trace, or goes to the trace before.
async function back() {
  const row = facts.sample[judging.at];
  const said = answers()[row];
  if (row !== undefined && Array.isArray(said) && said.length) keep(row, said.slice(0, -1));
  else if (judging.at > 0) {
    judging.at--;
    const before = answers()[facts.sample[judging.at]];
    keep(facts.sample[judging.at], Array.isArray(before) ? before.slice(0, -1) : []);
  }
  await drawJudge();
}

// Verdicts as the truth file has them: nobody looked at what comes after the first wrong step.
function verdictsOf(answer, steps) {
  if (answer === "skipped") return [];
  return Array.from({ length: steps }, (_, i) => answer[i] ?? null);
}

function told(verdicts) {
  const first = verdicts.indexOf("wrong");
  if (!verdicts.length) return "skipped";
  return first < 0 ? "no step is wrong" : `step ${first + 1}`;
}

async function truthLines() {
  const lines = [];
  for (const row of facts.sample) {
    const { trace } = await whole(row);
    if (!finished(row, trace.steps.length)) continue;
    const verdicts = verdictsOf(answers()[row], trace.steps.length);
    const evidence = { name: "audit", kind: "truth", verdicts, stopping: told(verdicts) };
    lines.push(JSON.stringify({ ...trace, evidence: [evidence], labels: null, stream: null }));
  }
  return lines;
}

async function download() {
  save("truth.jsonl", `${(await truthLines()).join("\n")}\n`);
  say("truth.jsonl was downloaded");
}

const saidBy = (trace) => JSON.stringify([trace.problem.question.trim(), trace.steps.map((step) => step.text.trim())]);

async function compareWith(file) {
  const theirs = new Map();
  let broken = 0;
  for (const line of (await file.text()).split("\n")) {
    if (!line.trim()) continue;
    try {
      const trace = JSON.parse(line);
      theirs.set(saidBy(trace), trace.evidence.findLast((one) => one.kind === "truth").verdicts ?? []);
    } catch {
      broken++;
    }
  }
  judging.other = { name: file.name, broken, ...(await agreed(theirs)) };
  await drawJudge();
}

async function agreed(theirs) {
  const counts = { both: 0, same: 0, steps: 0, sameSteps: 0, table: {} };
  for (const row of facts.sample) {
    const { trace } = await whole(row);
    const other = theirs.get(saidBy(trace));
    if (!other?.length || !finished(row, trace.steps.length)) continue;
    const own = verdictsOf(answers()[row], trace.steps.length);
    if (!own.length) continue;
    counts.both++;
    counts.same += own.indexOf("wrong") === other.indexOf("wrong");
    own.forEach((verdict, i) => {
      if (!["right", "wrong"].includes(verdict) || !["right", "wrong"].includes(other[i])) return;
      counts.steps++;
      counts.sameSteps += verdict === other[i];
      counts.table[verdict + other[i]] = (counts.table[verdict + other[i]] ?? 0) + 1;
    });
  }
  return counts;
}

// Cohen's kappa over steps that both judged.
function kappa({ steps, sameSteps, table: cells }) {
  const of = (...names) => names.reduce((sum, name) => sum + (cells[name] ?? 0), 0) / steps;
  const chance = of("rightright", "rightwrong") * of("rightright", "wrongright") + of("wrongright", "wrongwrong") * of("rightwrong", "wrongwrong");
  return chance === 1 ? null : (sameSteps / steps - chance) / (1 - chance);
}

function agreementLine() {
  const { name, both, same, steps, broken } = judging.other;
  if (!both) return el("p", { class: "wary" }, `${name} holds no judgement of a trace that you have judged.${broken ? ` ${plural(broken, "line")} could not be read.` : ""}`);
  const k = steps ? kappa(judging.other) : null;
  return el("p", { id: "agreement" }, `Of ${plural(both, "trace")} that you and ${name} judged, the first error is the same for `, el("b", {}, `${same} (${percent(same / both)})`),
    `; over ${plural(steps, "step")}, ${k === null ? "kappa is undefined: all verdicts are alike" : `Cohen's kappa is ${k.toFixed(2)}`}.`, broken > 0 && ` ${plural(broken, "line")} could not be read.`);
}
