// Elements, built one by one: text from data becomes text nodes, never markup.

const SVG = "http://www.w3.org/2000/svg";
const MATH = "http://www.w3.org/1998/Math/MathML";

// Characters that would steer a reader's eye: controls, turns of direction, halves of characters.
const STEERS = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]|[\u{e0000}-\u{e007f}]|[\ud800-\udfff]/gu;

function visible(text) {
  return String(text).replace(STEERS, (sign) => {
    const code = sign.codePointAt(0);
    return code < 32 ? String.fromCharCode(0x2400 + code) : code === 127 ? "␡" : "\ufffd";
  });
}

function fill(node, attributes, children) {
  for (const [name, value] of Object.entries(attributes ?? {})) {
    if (value === undefined || value === null || value === false) continue;
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else if (name === "style") for (const [key, part] of Object.entries(value)) node.style.setProperty(key, part);
    else node.setAttribute(name, value === true ? "" : visible(value));
  }
  add(node, children);
  return node;
}

function add(node, children) {
  for (const child of children.flat(Infinity)) {
    if (child === undefined || child === null || child === false) continue;
    node.append(child instanceof Node ? child : document.createTextNode(visible(child)));
  }
}

const el = (name, attributes, ...children) => fill(document.createElement(name), attributes, children);
const svg = (name, attributes, ...children) => fill(document.createElementNS(SVG, name), attributes, children);
const math = (name, attributes, ...children) => fill(document.createElementNS(MATH, name), attributes, children);

const $ = (selector, inside = document) => inside.querySelector(selector);

const number = (value) => Math.round(value).toLocaleString("en-US");
const percent = (share) => `${Math.round(100 * share)}%`;
const plural = (count, word) => `${number(count)} ${word}${count === 1 ? "" : "s"}`;

function short(count) {
  if (count < 10000) return number(count);
  return count < 1e6 ? `${(count / 1e3).toFixed(count < 1e5 ? 1 : 0)}k` : `${(count / 1e6).toFixed(1)}M`;
}

// A name, as far as there is room for one.
function brief(text, most = 40) {
  return text.length > most ? `${text.slice(0, most)}…` : text;
}

function say(text) {
  $("#live").textContent = visible(text);
}

function save(name, text) {
  const link = el("a", { download: name });
  link.href = URL.createObjectURL(new Blob([text], { type: "application/octet-stream" }));
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10000);
}
