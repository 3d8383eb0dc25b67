// The page follows its address: what changes there is drawn anew.

const drawnFor = { view: null, words: null, rows: "" };

async function show() {
  readAddress();
  document.body.dataset.view = state.view;
  for (const link of document.querySelectorAll(".bar nav a")) {
    if (link.dataset.view === state.view) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
  const main = $("#main");
  if (state.view === "traces") await showTraces(main);
  else {
    scrollTo0();
    await (state.view === "judge" ? judge : overview)(main);
  }
  drawnFor.view = state.view;
}

const scrollTo0 = () => window.scrollTo(0, 0);

async function showTraces(main) {
  const fresh = drawnFor.view !== "traces";
  if (fresh) {
    main.replaceChildren(el("div", { class: "split" }, listPane(), el("section", { class: "pane", id: "pane", tabindex: -1, "aria-label": "Trace" })));
    drawnFor.words = null;
    drawnFor.rows = "";
  }
  if (state.words !== drawnFor.words) {
    drawnFor.words = state.words;
    drawnFor.rows = "";
    seek(state.words);
  }
  const rows = JSON.stringify([state.sort, [...state.chips], state.problem, state.words, state.file]);
  if (rows !== drawnFor.rows) {
    drawnFor.rows = rows;
    refreshRows();
    $("#rows").scrollTop = 0;
    drawList();
  }
  if (state.id !== null) {
    const found = await rowOf(state.id, state.row);
    if (found < 0) {
      $("#pane").replaceChildren(el("p", { class: "loading" }, `This report holds no trace ${state.id.slice(0, 100)}.`));
      state.row = -1;
    } else state.row = found;
    document.body.classList.toggle("reading", true);
    if (found < 0) return;
  } else {
    state.row = -1;
    document.body.classList.toggle("reading", false);
  }
  scrollTo(state.row);
  drawRows();
  await tracePane($("#pane"));
}

function wrongWay(error) {
  console.error(error);
  $("#main").replaceChildren(el("p", { class: "loading wary" }, `This report could not be read: ${error.message ?? error}`));
}

function setTheme(theme) {
  if (theme) document.documentElement.dataset.theme = theme;
  else delete document.documentElement.dataset.theme;
  try {
    if (theme) localStorage.setItem("prmdata theme", theme);
  } catch { /* without a store, the choice lasts as long as the page */ }
}

function turnTheme() {
  const dark = document.documentElement.dataset.theme ?? (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light");
  setTheme(dark === "dark" ? "light" : "dark");
}

async function start() {
  try {
    setTheme(localStorage.getItem("prmdata theme"));
  } catch { /* as above */ }
  await loadColumns();
  $("#theme").addEventListener("click", turnTheme);
  $("#help").addEventListener("click", help);
  addEventListener("keydown", pressed);
  addEventListener("hashchange", () => show().catch(wrongWay));
  addEventListener("resize", later(100, drawRows));
  await show();
  document.documentElement.dataset.ready = "yes";
}

start().catch(wrongWay);
