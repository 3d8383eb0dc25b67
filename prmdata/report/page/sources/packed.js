// The data: columns of numbers for every row at once, records by chunks, when they are looked at.
// They stand in the page, or come from `prmdata report --serve`; the rest of the scripts cannot tell.

const facts = JSON.parse($("#facts").textContent);
const inside = facts.served ? null : JSON.parse($("#packed").textContent);
$("#packed").remove();

const KINDS = { i8: Int8Array, i16: Int16Array, u16: Uint16Array, i32: Int32Array, f32: Float32Array };
const column = {};
const CACHED = 400;

function bytesOf(text) {
  if (Uint8Array.fromBase64) return Uint8Array.fromBase64(text);
  const raw = atob(text);
  const bytes = new Uint8Array(raw.length);
  for (let i = 0; i < raw.length; i++) bytes[i] = raw.charCodeAt(i);
  return bytes;
}

async function fetched(path) {
  const answer = await fetch(path);
  if (!answer.ok) throw new Error(`the server answered ${answer.status} for ${path}`);
  return answer;
}

async function loadColumns() {
  await Promise.all(Object.entries(facts.columns).map(async ([name, kind]) => {
    const bytes = inside
      ? bytesOf(inside.columns[name]).buffer
      : await (await fetched(`column/${name}`)).arrayBuffer();
    column[name] = new KINDS[kind](bytes);
  }));
}

async function inflated(bytes) {
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"));
  return JSON.parse(await new Response(stream).text());
}

// The last chunks that were looked at; of each, the promise of its list.
const chunks = new Map();

function chunk(path, text) {
  let found = chunks.get(path);
  if (found) chunks.delete(path);
  else {
    found = (async () => inflated(text ? bytesOf(text) : await (await fetched(path)).arrayBuffer()))();
    found.then((list) => { found.list = list; }, () => chunks.delete(path));
  }
  chunks.set(path, found);
  if (chunks.size > CACHED) chunks.delete(chunks.keys().next().value);
  return found;
}

function chunkOf(starts, record) {
  let low = 0;
  let high = starts.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (starts[middle] <= record) low = middle;
    else high = middle - 1;
  }
  return low;
}

function headsOf(row) {
  const at = chunkOf(column.heads, row);
  return { heads: chunk(`heads/${at}`, inside?.heads[at]), place: row - column.heads[at] };
}

// `[id, question, beliefs]`, at once where it is at hand, else `null`.
function headAtHand(row) {
  const { heads, place } = headsOf(row);
  return heads.list ? heads.list[place] : null;
}

async function head(row) {
  const { heads, place } = headsOf(row);
  return (await heads)[place];
}

function recordChunk(file, at) {
  return chunk(`records/${file}/${at}`, inside?.records[file][at]);
}

async function record(file, row) {
  const place = column[`record${file}`][row];
  if (place < 0) return null;
  const starts = column[`chunks${file}`];
  const at = chunkOf(starts, place);
  return (await recordChunk(file, at))[place - starts[at]];
}

// A row with its records of all files; the first that has it brings the problem and the steps.
async function whole(row) {
  const records = await Promise.all(facts.files.map((_, file) => record(file, row)));
  const base = records.find((one) => one);
  const truth = base.truth ?? base.trace.evidence.findLast((e) => e.kind === "truth" && e.verdicts.length) ?? null;
  return { row, trace: base.trace, truth, files: records.map((one) => one && one.trace), rollouts: records.map((one) => one?.rollouts) };
}

// `whole`, for several rows.
const wholes = (rows) => Promise.all(rows.map(whole));

const has = (row, name) => (column.flags[row] & facts.flags[name]) !== 0;

function rowsOfProblem(row) {
  const rows = [];
  const problem = column.problem[row];
  for (let i = 0; i < facts.rows; i++) if (column.problem[i] === problem) rows.push(i);
  return rows;
}

// The row with this id; the link's own guess is tried first.
async function rowOf(id, guess) {
  if (guess >= 0 && guess < facts.rows && (await head(guess))[0] === id) return guess;
  for (let at = 0; at < column.heads.length; at++) {
    const list = await chunk(`heads/${at}`, inside?.heads[at]);
    const place = list.findIndex((one) => one[0] === id);
    if (place >= 0) return column.heads[at] + place;
  }
  return -1;
}
