// Text of models for the eye: formulas, code and emphasis are drawn, everything else stays as it is.

const LONGEST_DRAWN = 20000;
const INLINE = /(\$\$[^$]+\$\$|\$(?!\s)(?:\\.|[^$\\\n])+?(?<!\s)\$(?!\d)|\\\([^]+?\\\)|\\\[[^]+?\\\]|`[^`\n]+`|\*\*[^*\n]+\*\*)/;
const WORDS = /(#[^\n]*|\/\/[^\n]*|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'|\b\d+(?:\.\d+)?\b|\b(?:and|as|assert|async|await|break|class|const|continue|def|del|elif|else|except|finally|for|from|function|if|import|in|is|lambda|let|not|or|pass|raise|return|try|var|while|with|yield|True|False|None|true|false|null)\b)/;

function prose(text) {
  if (text.length > LONGEST_DRAWN) return [text];
  return text.split(/(^[ \t]*```[^\n]*\n[^]*?(?:^[ \t]*```[ \t]*$|(?![^])))/m).flatMap((part) => {
    const fence = part.match(/^[ \t]*```([^\n]*)\n([^]*?)(?:^[ \t]*```[ \t]*)?$/m);
    return fence && part.trimStart().startsWith("```") ? [code(fence[2])] : inline(part);
  });
}

function inline(text) {
  return text.split(INLINE).map((part, i) => (i % 2 ? drawn(part) : part));
}

function drawn(part) {
  if (part.startsWith("**")) return el("strong", {}, part.slice(2, -2));
  if (part.startsWith("`")) return el("code", {}, part.slice(1, -1));
  const block = part.startsWith("$$") || part.startsWith("\\[");
  const tex = part.slice(block || part.startsWith("\\") ? 2 : 1, block || part.startsWith("\\") ? -2 : -1);
  const node = formula(tex, block);
  return node ? el("span", { class: block ? "formula block" : "formula", title: part }, node) : el("code", { class: "tex" }, part);
}

function code(text) {
  const parts = text.replace(/\n$/, "").split(WORDS);
  return el("pre", { class: "code" }, el("code", {}, parts.map((part, i) => (i % 2 ? el("span", { class: kindOf(part) }, part) : part))));
}

function kindOf(word) {
  if (/^["']/.test(word)) return "string";
  if (/^(#|\/\/)/.test(word)) return "comment";
  return /^\d/.test(word) ? "number" : "keyword";
}

// A step's text in its kind: thoughts as prose, code and what tools say as they are.
function stepText(step, raw) {
  const text = step.text.replace(/\s+$/, "");
  if (raw) return el("pre", { class: "raw" }, step.text.replace(/\n/g, "⏎\n").replace(/\t/g, "→\t"));
  if (step.kind === "code" && !text.includes("```")) return code(text);
  if (step.kind === "tool_call" || step.kind === "observation") return folded(step, text);
  return el("div", { class: "prose" }, prose(text));
}

function folded(step, text) {
  const name = step.kind === "tool_call" ? `calls ${step.tool?.name ?? "a tool"}` : "observes";
  const first = text.trim().split("\n", 1)[0].slice(0, 80);
  return el("details", { class: "folded", open: text.length < 160 },
    el("summary", {}, el("b", {}, name), " ", el("span", { class: "faint" }, first)),
    el("pre", { class: "code" }, text),
    step.tool && el("pre", { class: "code" }, JSON.stringify(step.tool, null, 2)),
    step.result && el("pre", { class: "code" }, step.result));
}
