// The state of the page stands in its address, so that a link shows what its sender saw.

const state = {
  view: "overview",
  id: null, // of the trace that is looked at
  row: -1,
  step: -1,
  tab: "steps",
  sort: "order",
  chips: new Set(),
  words: "",
  problem: -1,
  file: 0,
};

function readAddress() {
  const [path, query] = location.hash.slice(1).split("?");
  const asked = new URLSearchParams(query ?? "");
  const view = path.split("/")[1] || "overview";
  state.view = ["overview", "traces", "judge"].includes(view) ? view : "overview";
  state.id = asked.get("id");
  state.row = whole0(asked.get("row"), -1);
  state.step = whole0(asked.get("step"), 0) - 1;
  state.tab = ["steps", "replay", "siblings", "raw"].includes(asked.get("tab")) ? asked.get("tab") : "steps";
  state.sort = SORTS.some(([name]) => name === asked.get("sort")) ? asked.get("sort") : "order";
  state.chips = new Set((asked.get("only") ?? "").split(".").filter((name) => CHIPS.some(([chip]) => chip === name)));
  state.words = asked.get("q") ?? "";
  state.problem = whole0(asked.get("problem"), -1);
  state.file = Math.min(whole0(asked.get("file"), 0), facts.files.length - 1);
}

function whole0(text, otherwise) {
  return text !== null && /^\d{1,9}$/.test(text) ? Number(text) : otherwise;
}

function address(changes = {}) {
  const next = { ...state, ...changes };
  const asked = new URLSearchParams();
  if (next.view === "traces") {
    if (next.id !== null) {
      asked.set("id", next.id);
      asked.set("row", next.row);
    }
    if (next.step >= 0) asked.set("step", next.step + 1);
    if (next.tab !== "steps") asked.set("tab", next.tab);
    if (next.sort !== "order") asked.set("sort", next.sort);
    if (next.chips.size) asked.set("only", [...next.chips].join("."));
    if (next.words) asked.set("q", next.words);
    if (next.problem >= 0) asked.set("problem", next.problem);
    if (next.file) asked.set("file", next.file);
  }
  const query = asked.toString();
  return `#/${next.view === "overview" ? "" : next.view}${query ? `?${query}` : ""}`;
}

// `quietly`: no entry of its own in the browser's history.
function go(changes, quietly = false) {
  const where = address(changes);
  if (where === location.hash) return;
  if (quietly) {
    history.replaceState(null, "", where);
    show();
  } else location.hash = where;
}
