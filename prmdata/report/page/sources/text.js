// Text of models for the eye: formulas, code and emphasis are drawn, everything else stays as it is.

const LONGEST_DRAWN = 20000;
const INLINE = /(\$\$[^$]+\$\$|\$(?!\s)(?:\\.|[^$\\\n])+?(?<!\s)\$(?!\d)|\\\([^]+?\\\)|\\\[[^]+?\\\]|`[^`\n]+`|\*\*[^*\n]+\*\*)/;
const WORDS = /(#[^\n]*|\/\/[^\n]*|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'|\b\d+(?:\.\d+)?\b|\b(?:and|as|assert|async|await|break|class|const|continue|def|del|elif|else|except|finally|for|from|function|if|import|in|is|lambda|let|not|or|pass|raise|return|try|var|while|with|yield|True|False|None|true|false|null)\b)/;

const FENCE = /^[ \t]*```/;

// Lines between fences are code; a fence that nobody closes reaches to the end.
function prose(text) {
  if (text.length > LONGEST_DRAWN) return [text];
  const parts = [];
  let lines = [];
  let fenced = false;
  const end = () => {
    const body = lines.join("");
    if (fenced) parts.push(code(body));
    else if (body) parts.push(...inline(body));
    lines = [];
  };
  for (const line of text.split(/(?<=\n)/)) {
    if (!FENCE.test(line) || (!fenced && line.trim().lastIndexOf("```") > 0)) {
      lines.push(line);
      continue;
    }
    end();
    fenced = !fenced;
    const said = line.trim().slice(3); // the language, mostly
    if (said) parts.push(el("span", { class: "kind" }, said));
  }
  end();
  return parts;
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

// A step as it is read: what it says, then, folded, the calls that it makes and what answered them.
function stepText(step, raw) {
  const text = step.text.replace(/\s+$/, "");
  if (raw) return el("pre", { class: "raw" }, step.text.replace(/\n/g, "⏎\n").replace(/\t/g, "→\t"));
  if (step.kind === "observation") return folded("observes", text);
  const call = step.kind === "tool_call" ? Math.max(text.search(/<tool_call>|\{/), 0) : text.length;
  const observed = observationOf(step);
  const calls = callsOf(step);
  return [
    text.slice(0, call).trim() && (step.kind === "code" && !text.includes("```") ? code(text) : el("div", { class: "prose" }, prose(text.slice(0, call).trimEnd()))),
    !calls.length && text.slice(call) && folded("calls", text.slice(call)),
    calls.map((one) => folded(`calls ${brief(String(one.name ?? "a tool"))}`, typeof one.arguments === "string" ? one.arguments : JSON.stringify(one.arguments ?? one, null, 2))),
    observed != null && folded("observes", observed),
    calls.length > 0 && text.slice(call) && folded("as written", text.slice(call)),
  ];
}

// The calls of an assistant's turn, or the one that stands in the text alone.
function callsOf(step) {
  const made = step.messages?.[0]?.tool_calls;
  if (Array.isArray(made)) return made.filter((call) => call && typeof call === "object").map((call) => call.function ?? call);
  return step.tool ? [step.tool] : [];
}

function observationOf(step) {
  if (!step.messages?.length) return step.result;
  const answers = step.messages.slice(1).map(contentOf);
  return answers.length ? answers.join("\n") : null;
}

function contentOf({ content }) {
  if (typeof content === "string") return content;
  return Array.isArray(content) ? content.map((part) => part?.text ?? JSON.stringify(part)).join("\n") : JSON.stringify(content ?? "");
}

function folded(name, text) {
  const lines = text.split("\n").map((line) => line.trim());
  const first = lines.find((line) => line && !/^<\/?[\w-]+>$/.test(line)) ?? "";
  return el("details", { class: "folded" },
    el("summary", {}, el("b", {}, name), " ", el("span", { class: "faint" }, brief(first, 90))),
    el("pre", { class: "code" }, text));
}
