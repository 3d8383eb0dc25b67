// Which rows the list shows, and in which order.

const CHIPS = [
  ["wrong", "ends wrong", "The final answer is wrong"],
  ["error", "step wrong", "A step is labelled wrong"],
  ["disputed", "disputed", "Kinds of evidence name different first errors"],
  ["unsure", "unsure", "Confidence below one half"],
  ["tool", "tool contradicts", "A tool calls a step wrong that the label takes for right"],
  ["differs", "differs from truth", "The label is not the truth's first error"],
  ["files", "files differ", "The files name different first errors"],
  ["cut", "cut", "The token limit ended it"],
  ["undecided", "undecided", "The label says nothing of any step"],
  ["failed", "failed", "A stage gave up on it"],
];
const SORTS = [
  ["order", "file order"],
  ["disagreement", "disagreement"],
  ["unsure", "least sure"],
  ["sure", "surest"],
  ["cost", "cost"],
  ["steps", "length"],
];

const chosenBy = {
  error: (row) => column.first0[row] >= 0,
};

function fits(name) {
  return chosenBy[name] ?? ((row) => has(row, name));
}

function countOf(name) {
  const fit = fits(name);
  let count = 0;
  for (let row = 0; row < facts.rows; row++) count += fit(row);
  return count;
}

// A number a row: rows with smaller ones come first, and those without one last.
const KEYS = {
  disagreement: (row) => -column.disagreement[row] * 2 + (column.confidence0[row] || 1),
  unsure: (row) => column.confidence0[row],
  sure: (row) => -column.confidence0[row],
  cost: (row) => -column.tokens0[row],
  steps: (row) => -column.steps[row],
};

function sorted(rows, sort) {
  const key = KEYS[sort];
  if (!key) return rows;
  const keys = new Float64Array(facts.rows);
  for (const row of rows) {
    const value = key(row);
    keys[row] = Number.isNaN(value) ? Infinity : value;
  }
  return rows.sort((a, b) => keys[a] - keys[b] || a - b);
}

function select({ chips, sort, problem, found }) {
  const tests = [...chips].map(fits);
  if (problem >= 0) tests.push((row) => column.problem[row] === problem);
  if (found) tests.push((row) => found.has(row));
  const rows = new Int32Array(facts.rows);
  let count = 0;
  for (let row = 0; row < facts.rows; row++) {
    if (tests.every((test) => test(row))) rows[count++] = row;
  }
  return sorted(rows.slice(0, count), sort);
}

function matches(trace, words) {
  const texts = [trace.id, trace.answer, trace.problem.question, ...trace.steps.flatMap((step) => [step.text, observationOf(step)])];
  return texts.some((text) => text && text.toLowerCase().includes(words));
}

function rowsByRecord(file) {
  const rows = new Int32Array(facts.files[file].records);
  column[`record${file}`].forEach((place, row) => { if (place >= 0) rows[place] = row; });
  return rows;
}

// Rows whose text holds the words. `report` hears of those found so far; `wanted` ends the search.
async function search(words, report, wanted) {
  const found = new Set();
  words = words.toLowerCase();
  for (let file = 0; file < facts.files.length; file++) {
    const rows = rowsByRecord(file);
    const starts = column[`chunks${file}`];
    const stride = facts.served ? 64 : 1;
    for (let at = 0; at < starts.length; at += stride) {
      if (!wanted()) return null;
      for (const place of await placesIn(file, at, at + stride, words)) found.add(rows[place]);
      if (at % 16 === 0) report(found, at / starts.length);
    }
  }
  return found;
}

async function placesIn(file, from, to, words) {
  if (facts.served) {
    const asked = new URLSearchParams({ q: words, file, from, to });
    return (await fetched(`search?${asked}`)).json();
  }
  const first = column[`chunks${file}`][from];
  const list = await inflated(bytesOf(inside.records[file][from]));
  return list.flatMap((one, place) => (matches(one.trace, words) ? [first + place] : []));
}
