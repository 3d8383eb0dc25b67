// The first screen: how many, how sure, how right, at what cost; and what to be wary of.

function overview(main) {
  const file = facts.files[state.file];
  main.replaceChildren();
  add(main, [
    facts.files.length > 1 && filePicker(),
    el("div", { class: "page" },
      headline(file),
      wary(file),
      tiles(file),
      el("div", { class: "figures" }, figures(file)),
      facts.files.length > 1 && comparison()),
  ]);
}

function filePicker() {
  return el("div", { class: "files", role: "group", "aria-label": "File" }, facts.files.map((file, i) =>
    el("button", { type: "button", class: "chip", "aria-pressed": String(i === state.file), onclick: () => { state.file = i; show(); } }, letter(i), " ", el("span", {}, file.name))));
}

const letter = (i) => String.fromCharCode(65 + (i % 26));

function headline(file) {
  const { counts, score } = file;
  const names = Object.keys(counts["labelled by"]);
  const by = names.slice(0, 4).map((name) => brief(name)).join(", ") + (names.length > 4 ? ` and ${names.length - 4} others` : "");
  const about = `${plural(counts.traces, "trace")} of ${plural(counts.problems, "problem")}`;
  let claim = "They carry no labels: this report shows the traces.";
  if (score?.exact != null) {
    const [low, high] = score.exact_interval;
    claim = [el("b", {}, percent(score.exact)), ` of the labels name exactly the true first error (95 % interval ${percent(low)} to ${percent(high)}, ${plural(score.of, "trace")})`,
      score.exact_on_erroneous != null && score.exact_on_correct != null && `: ${percent(score.exact_on_erroneous)} where a step is wrong, ${percent(score.exact_on_correct)} where none is`, "."];
  } else if (file.expected_exact != null) {
    claim = ["The labels expect to be exact on ", el("b", {}, percent(file.expected_exact)), " of first errors; no truth is at hand to check that. ", el("a", { href: "#/judge" }, "Judge a fair sample"), "."];
  } else if (by) claim = ["The labels carry no confidence, and no truth is at hand. ", el("a", { href: "#/judge" }, "Judge a fair sample"), "."];
  return el("section", { class: "headline" },
    el("h1", {}, file.name),
    el("p", { class: "about" }, about, by && `, labelled by ${by}`),
    el("p", { class: "claim" }, claim));
}

// What a reader must know before believing the figures.
function wary(file) {
  const { counts } = file;
  const found = [
    file.cut,
    file.unreadable > 0 && [`${plural(file.unreadable, "line")} could not be read and ${file.unreadable === 1 ? "is" : "are"} not in this report.`,
      el("details", {}, el("summary", {}, "Which"), el("ul", {}, file.unreadable_lines.map((line) => el("li", {}, line))))],
    ...file.warnings.map((warning) => `${warning[0].toUpperCase()}${warning.slice(1)}.`),
    counts.failed > 0 && `${plural(counts.failed, "trace")} failed in an earlier stage.`,
    file.undecided > 0 && `${plural(file.undecided, "label")} decide nothing.`,
    counts.cut > 0 && `${plural(counts.cut, "trace")} ${counts.cut === 1 ? "was" : "were"} cut by the token limit: neither right nor wrong.`,
    counts.unparsed > 0 && `The answer of ${plural(counts.unparsed, "trace")} could not be read.`,
    file.cost.cut > 0 && `${plural(file.cost.cut, "rollout")} of the labels were cut or not graded, ${plural(file.cost.unparsed, "answer")} not read.`,
    file.unlabelled > 0 && file.unlabelled < counts.traces && `${plural(file.unlabelled, "trace")} carry no label.`,
    !file.score && counts["labelled by"] && Object.keys(counts["labelled by"]).length > 0 && "No truth is known for these traces: nothing here says how right the labels are.",
  ].filter(Boolean);
  if (!found.length) return null;
  return el("section", { class: "wary", "aria-label": "To know first" }, el("ul", {}, found.map((one) => el("li", {}, one))));
}

function tile(value, label, note, changes) {
  const inside = [el("span", { class: "value" }, value), el("span", { class: "label" }, label), note && el("span", { class: "faint" }, note)];
  return changes ? el("a", { class: "tile", href: address({ view: "traces", id: null, row: -1, ...changes }) }, inside) : el("div", { class: "tile" }, inside);
}

function tiles(file) {
  const { counts, score, cost } = file;
  const labelled = Object.keys(counts["labelled by"]).length > 0;
  const per = Math.max((counts.examined ?? 0), 1);
  return el("section", { class: "tiles", "aria-label": "Counts" },
    tile(number(counts.traces), plural(counts.problems, "problem"), `${counts["mean steps"]} steps a trace`, { chips: new Set() }),
    tile(number(counts.wrong), "end wrong", `${number(counts.right)} end right`, { chips: new Set(["wrong"]) }),
    labelled && tile(number(counts["first errors"] ?? 0), "first errors found", `${number(counts.examined ?? 0)} examined`, { chips: new Set(["error"]) }),
    file.trust && tile(number(file.trust.unsure), "unsure", "confidence below one half", { chips: new Set(["unsure"]), sort: "unsure" }),
    score && tile((score.f1 ?? 0).toFixed(2), "F1", `${percent(score.exact_on_erroneous ?? 0)} exact where a step is wrong`, { chips: new Set(["differs"]) }),
    score?.calibration_error != null && tile(score.calibration_error.toFixed(2), "calibration error", "of the confidence"),
    cost.tokens > 0 && tile(short(cost.tokens / per), "tokens a trace", `of those examined; ${short(cost.tokens)} in all, ${short(cost.rollouts)} rollouts`, { sort: "cost", chips: new Set() }),
    cost.calls > 0 && tile(short(cost.calls), "judgements", `${short(cost.prompt_tokens)} tokens read`));
}

function figure(title, chart, ...notes) {
  return el("figure", {}, el("figcaption", {}, el("h2", {}, title)), chart, notes);
}

function figures(file) {
  const { score, places, true_places: truth } = file;
  const methods = facts.files.flatMap((one, i) => one.methods.map((method) => ({ ...method, name: facts.files.length > 1 ? `${letter(i)} ${method.name}` : method.name })));
  const decisive = methods.filter((one) => one.undecided <= one.of / 2); // others say too little for a point
  const priced = methods.length > 1 && figure("F1 and its price", decisive.length > 1 && costChart(decisive), el("details", { open: decisive.length < 2 }, el("summary", {}, "As a table"), table(["method", "F1", "exact", "95 % interval", "of", "undecided", "tokens a trace"],
      methods.map((one) => [brief(one.name), fixed(one.f1), fixed(one.exact), one.exact_interval.map(fixed).join("–"), number(one.of), number(one.undecided), number(one.tokens_per_trace)]), "Methods on this file")));
  return [
    score?.reliability.length ? figure("How right, by how sure", reliabilityChart(score.reliability), el("p", { class: "faint" }, "On the line, confidence is what it says. Bars are 95 % intervals.")) :
      file.confidence.some(Boolean) && figure("How sure", confidenceChart(file.confidence), el("p", { class: "faint" }, "What the labels claim; no truth says whether it holds.")),
    decisive.length > 1 && priced,
    (places.length > 0 || truth.length > 0) && figure("Where first errors are", placesChart(places, truth),
      el("p", { class: "key" }, el("span", { class: "swatch labelled" }), "labels", truth.length > 0 && [el("span", { class: "swatch true" }), "truth"])),
    decisive.length < 2 && priced,
    file.pairs.length > 0 && figure("Do kinds of evidence agree?", agreementTable(file.pairs), el("p", { class: "faint" }, "Of traces on which both name a first error or none: how often it is the same.")),
  ];
}

const fixed = (value) => (value == null ? "—" : value.toFixed(3));

function agreementTable(pairs) {
  const rows = [...pairs].sort((a, b) => b[3] - a[3]).slice(0, 12).map(([one, other, same, both]) => [
    [brief(one), el("span", { class: "faint" }, " and "), brief(other)],
    el("span", { class: "meter" }, el("span", { style: { width: `${(100 * same) / both}%` } })),
    percent(same / both), `${number(same)} of ${number(both)}`]);
  return table(["sources", "", "agree", "traces"], rows, "Agreement between kinds of evidence");
}

// Two or more files: how often they differ, and who is right where the truth is known.
function comparison() {
  const rows = [];
  for (let a = 0; a < facts.files.length; a++) {
    for (let b = a + 1; b < facts.files.length; b++) rows.push(compared(a, b));
  }
  const only = facts.files.map((file, i) => {
    let count = 0;
    for (let row = 0; row < facts.rows; row++) count += column[`record${i}`][row] >= 0;
    return `${letter(i)} ${file.name}: ${number(count)} of ${number(facts.rows)} traces`;
  });
  return el("section", { class: "compare" }, el("h2", {}, "Where the files differ"),
    table(["files", "both decide", "differ", "first is right", "second is right", "neither"], rows, "Differences between files"),
    el("p", {}, el("a", { href: address({ view: "traces", id: null, row: -1, chips: new Set(["files"]) }) }, "Show the traces on which they differ")),
    el("p", { class: "faint" }, only.join(" · ")));
}

function compared(a, b) {
  const counts = { both: 0, differ: 0, a: 0, b: 0, none: 0, known: 0 };
  for (let row = 0; row < facts.rows; row++) {
    const [one, other, truth] = [column[`first${a}`][row], column[`first${b}`][row], column.truth[row]];
    if (one === SILENT || other === SILENT) continue;
    counts.both++;
    if (one === other) continue;
    counts.differ++;
    if (truth === SILENT) continue;
    counts.known++;
    counts.a += one === truth;
    counts.b += other === truth;
    counts.none += one !== truth && other !== truth;
  }
  const of = (count) => (counts.known ? `${number(count)} (${percent(count / counts.known)})` : "truth unknown");
  return [`${letter(a)} and ${letter(b)}`, number(counts.both), number(counts.differ), of(counts.a), of(counts.b), of(counts.none)];
}

const SILENT = -2;
