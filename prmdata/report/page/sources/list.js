// The list: only the rows in sight exist, however many there are.

const ROW = 64; // pixels; the style sheet says the same
const MOST_PIXELS = 8000000; // browsers cut taller boxes: then the bar stands for more rows a pixel

const list = { rows: new Int32Array(0), place: null, found: null, seeking: 0, nodes: new Map() };

function refreshRows() {
  list.rows = select({ ...state, found: list.found });
  list.place = null;
}

function placeOf(row) {
  list.place ??= new Map(Array.from(list.rows, (one, i) => [one, i]));
  return list.place.get(row) ?? -1;
}

// Looks for the words in all texts; the list fills while it looks.
async function seek(words) {
  const turn = ++list.seeking;
  if (!words) {
    list.found = null;
    return;
  }
  list.found = new Set();
  const found = await search(words, (some, share) => {
    list.found = some;
    refreshRows();
    drawList(`searching, ${percent(share)}`);
  }, () => turn === list.seeking);
  if (!found) return;
  list.found = found;
  refreshRows();
  drawList();
  say(`${plural(list.rows.length, "trace")} with “${words}”`);
}

function listPane() {
  const box = el("div", { class: "rows", id: "rows", tabindex: 0, role: "listbox", "aria-label": "Traces", onscroll: () => requestAnimationFrame(drawRows) },
    el("div", { class: "tall" }));
  return el("aside", { class: "list", "aria-label": "List of traces" },
    el("div", { class: "tools" },
      el("input", { id: "words", type: "search", placeholder: "Search the texts ( / )", "aria-label": "Search the texts", value: state.words, autocomplete: "off", spellcheck: "false", oninput: later(250, typed) }),
      el("select", { id: "sort", "aria-label": "Order", onchange: (event) => go({ sort: event.target.value }, true) }, SORTS.map(([name, text]) => el("option", { value: name, selected: name === state.sort }, text)))),
    el("div", { class: "chips", role: "group", "aria-label": "Only traces that are" }, CHIPS.map(chipButton)),
    el("p", { class: "count", id: "count" }),
    box);
}

function typed() {
  go({ words: $("#words").value.trim() }, true);
}

function later(wait, act) {
  let timer = 0;
  return (...given) => {
    clearTimeout(timer);
    timer = setTimeout(() => act(...given), wait);
  };
}

function chipButton([name, text, title]) {
  const count = countOf(name);
  if (!count && !state.chips.has(name)) return null;
  return el("button", { type: "button", class: "chip", title, "data-chip": name, "aria-pressed": String(state.chips.has(name)), onclick: () => toggle(name) }, text, " ", el("span", { class: "faint" }, short(count)));
}

function toggle(name) {
  const chips = new Set(state.chips);
  if (!chips.delete(name)) chips.add(name);
  go({ chips }, true);
}

function drawList(news = "") {
  const count = $("#count");
  if (!count) return;
  const all = list.rows.length === facts.rows;
  count.replaceChildren();
  add(count, [all ? plural(facts.rows, "trace") : `${number(list.rows.length)} of ${plural(facts.rows, "trace")}`, news && ` · ${news}`,
    state.problem >= 0 && [" · of one problem ", el("button", { type: "button", class: "link", onclick: () => go({ problem: -1 }, true) }, "show all")]]);
  for (const chip of document.querySelectorAll("[data-chip]")) chip.setAttribute("aria-pressed", String(state.chips.has(chip.dataset.chip)));
  $(".tall").style.setProperty("height", `${height()}px`);
  freshRows();
}

// Draws even those rows anew that are in sight already: something else is to be seen in them.
function freshRows() {
  for (const node of list.nodes.values()) node.remove();
  list.nodes.clear();
  drawRows();
}

const height = () => Math.min(list.rows.length * ROW, MOST_PIXELS);

// Which row stands at the top: the bar's place in a box that may be shorter than all rows.
function topRow(box) {
  const span = list.rows.length * ROW;
  if (span <= MOST_PIXELS) return box.scrollTop / ROW;
  const share = box.scrollTop / Math.max(height() - box.clientHeight, 1);
  return share * (list.rows.length - box.clientHeight / ROW);
}

function drawRows() {
  const box = $("#rows");
  if (!box) return;
  const top = topRow(box);
  const first = Math.max(Math.floor(top) - 3, 0);
  const last = Math.min(first + Math.ceil(box.clientHeight / ROW) + 7, list.rows.length);
  const offset = box.scrollTop - (top - first) * ROW;
  const before = list.nodes;
  list.nodes = new Map();
  for (let i = first; i < last; i++) {
    const row = list.rows[i];
    const node = before.get(row) ?? rowNode(row);
    before.delete(row);
    node.style.setProperty("transform", `translateY(${offset + (i - first) * ROW}px)`);
    if (!node.isConnected) $(".tall").append(node);
    list.nodes.set(row, node);
  }
  for (const node of before.values()) node.remove();
  box.setAttribute("aria-activedescendant", state.row >= 0 ? `row-${state.row}` : "");
}

function rowNode(row) {
  const known = headAtHand(row);
  const node = el("a", { class: `row${row === state.row ? " now" : ""}`, id: `row-${row}`, role: "option", "aria-selected": String(row === state.row), tabindex: -1, draggable: "false" });
  if (known) fillRow(node, row, known);
  else head(row).then((one) => fillRow(node, row, one), (error) => node.append(String(error)));
  return node;
}

function fillRow(node, row, [id, question, beliefs]) {
  node.setAttribute("href", address({ view: "traces", id, row, step: -1 }));
  const confidence = column[`confidence${state.file}`][row];
  const tokens = column[`tokens${state.file}`][row];
  add(node, [
    el("span", { class: "line" }, el("span", { class: "end" }, endMark(row)), el("bdi", { class: "id" }, id),
      el("span", { class: "faint numbers" }, [Number.isNaN(confidence) ? "" : percent(confidence), tokens > 0 ? `${short(tokens)} tok` : ""].filter(Boolean).join(" · "))),
    el("bdi", { class: "about faint" }, question),
    strip(row, beliefs)]);
}

function endMark(row) {
  const kind = has(row, "failed") ? "unknown" : has(row, "right") ? "right" : has(row, "wrong") ? "wrong" : "unknown";
  const words = { right: "ends right", wrong: "ends wrong", unknown: has(row, "cut") ? "cut" : has(row, "failed") ? "failed" : "not graded" };
  return el("span", { class: `ending ${kind}` }, words[kind]);
}

// A cell a step: how sure it is that the trace is still right; the first error has a mark.
function strip(row, beliefs) {
  const first = column[`first${state.file}`][row];
  const steps = column.steps[row];
  const marked = first < 0 ? -1 : steps > beliefs.length ? Math.floor((first * beliefs.length) / steps) : first;
  return el("span", { class: "strip", "aria-hidden": "true" }, [...beliefs].map((belief, i) =>
    el("i", { class: i === marked ? "wrong" : belief === " " ? "none" : marked >= 0 && i > marked ? "after" : "right", style: belief === " " || i === marked ? {} : { opacity: String(0.25 + Number(belief) / 12) } })));
}

function scrollTo(row) {
  for (const [one, node] of list.nodes) {
    node.classList.toggle("now", one === row);
    node.setAttribute("aria-selected", String(one === row));
  }
  const box = $("#rows");
  const place = placeOf(row);
  if (!box || place < 0) return;
  const share = list.rows.length * ROW <= MOST_PIXELS ? ROW : (height() - box.clientHeight) / Math.max(list.rows.length - box.clientHeight / ROW, 1);
  const at = place * share;
  if (at < box.scrollTop || at > box.scrollTop + box.clientHeight - 2 * ROW) box.scrollTop = Math.max(at - box.clientHeight / 3, 0);
  drawRows();
}
