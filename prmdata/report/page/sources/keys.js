// The keyboard. Letters do nothing while somebody types.

const KEYS_HELP = [
  ["j / k", "next, previous trace"],
  ["n / p", "next, previous step"],
  ["w", "next trace with a wrong step, or that ends wrong"],
  ["d", "next disputed trace"],
  ["← / →", "move the belief through the search"],
  ["r", "raw text, and back"],
  ["/", "search"],
  ["g", "overview"],
  ["Esc", "back to the list"],
  ["1 2 3", "when judging: right, wrong, cannot tell"],
  ["s / b", "when judging: skip, go back"],
  ["?", "these keys"],
];

async function move(by, fit = () => true) {
  let place = state.row < 0 ? (by > 0 ? -1 : 0) : placeOf(state.row);
  for (place += by; place >= 0 && place < list.rows.length; place += by) {
    if (fit(list.rows[place])) return open(list.rows[place]);
  }
  say("no further one");
}

async function open(row) {
  const [id] = await head(row);
  go({ view: "traces", id, row, step: -1, tab: state.tab === "replay" ? "replay" : "steps" }, state.row >= 0);
}

const ACTS = {
  j: () => move(1),
  k: () => move(-1),
  n: () => markStep(state.step + 1),
  p: () => markStep(state.step - 1),
  w: () => move(1, (row) => column.first0[row] >= 0 || (column.first0[row] === SILENT && has(row, "wrong"))),
  d: () => move(1, (row) => has(row, "disputed") || has(row, "files")),
  r: toggleRaw,
  "/": () => $("#words")?.focus(),
  g: () => { location.hash = "#/"; },
  "?": help,
  ArrowLeft: () => $("#replay") && turn(player.at - 1),
  ArrowRight: () => $("#replay") && turn(player.at + 1),
  Escape: () => state.view === "traces" && state.row >= 0 && go({ id: null, row: -1, step: -1, tab: "steps" }),
};
const JUDGES = {
  1: () => judged("right"),
  2: () => judged("wrong"),
  3: () => judged("unknown"),
  s: skip,
  b: back,
};

function pressed(event) {
  const typing = event.target.closest?.("input:not([type=range]), textarea, select");
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  if (typing) {
    if (event.key === "Escape") typing.blur();
    return;
  }
  if ($("dialog[open]") && event.key !== "?") return;
  const act = (state.view === "judge" && JUDGES[event.key]) || (allowed(event.key) && ACTS[event.key]);
  if (!act) return;
  event.preventDefault();
  act();
}

function allowed(key) {
  if (state.view === "traces") return true;
  return ["?", "g", "/", "j", "w", "d"].includes(key) && state.view === "overview";
}

function toggleRaw() {
  shown.raw = !shown.raw;
  const pane = $("#pane");
  if (pane && shown.item) drawTrace(pane);
  say(shown.raw ? "raw text" : "drawn text");
}

function help() {
  const old = $("dialog");
  if (old) {
    old.close();
    old.remove();
    return;
  }
  const box = el("dialog", { "aria-label": "Keys" }, el("h2", {}, "Keys"),
    el("table", {}, KEYS_HELP.map(([keys, text]) => el("tr", {}, el("td", {}, el("kbd", {}, keys)), el("td", {}, text)))),
    el("form", { method: "dialog" }, el("button", { type: "submit" }, "Close")));
  box.addEventListener("close", () => box.remove());
  document.body.append(box);
  box.showModal();
}
