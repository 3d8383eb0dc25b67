// TeX → MathML, which browsers draw themselves: what solutions of word problems and olympiads use.
// A formula with a command that is not known here stays as it was written.

class Unknown extends Error {}

const LETTERS = Object.fromEntries(
  ("alpha α beta β gamma γ delta δ epsilon ϵ varepsilon ε zeta ζ eta η theta θ vartheta ϑ iota ι kappa κ lambda λ mu μ nu ν xi ξ pi π " +
    "rho ρ sigma σ tau τ upsilon υ phi ϕ varphi φ chi χ psi ψ omega ω Gamma Γ Delta Δ Theta Θ Lambda Λ Xi Ξ Pi Π Sigma Σ Upsilon Υ Phi Φ " +
    "Psi Ψ Omega Ω infty ∞ ell ℓ hbar ℏ emptyset ∅ varnothing ∅ partial ∂ nabla ∇ imath ı jmath ȷ Re ℜ Im ℑ aleph ℵ degree ° circ ∘ " +
    "ldots … cdots ⋯ dots … vdots ⋮ ddots ⋱ dotsc … dotsb ⋯ prime ′ triangle △ angle ∠ square □ checkmark ✓ % % $ $ # # & & _ _").split(" ")
    .reduce((pairs, word, i, all) => (i % 2 ? pairs : [...pairs, [word, all[i + 1]]]), []),
);
const SIGNS = Object.fromEntries(
  ("times × cdot ⋅ div ÷ pm ± mp ∓ ast ∗ star ⋆ leq ≤ le ≤ geq ≥ ge ≥ neq ≠ ne ≠ approx ≈ equiv ≡ cong ≅ sim ∼ simeq ≃ propto ∝ ll ≪ gg ≫ " +
    "in ∈ notin ∉ ni ∋ subset ⊂ subseteq ⊆ supset ⊃ supseteq ⊇ cup ∪ cap ∩ setminus ∖ land ∧ wedge ∧ lor ∨ vee ∨ neg ¬ lnot ¬ forall ∀ exists ∃ " +
    "to → rightarrow → leftarrow ← Rightarrow ⇒ Leftarrow ⇐ Leftrightarrow ⇔ leftrightarrow ↔ implies ⟹ iff ⟺ mapsto ↦ longrightarrow ⟶ " +
    "therefore ∴ because ∵ perp ⊥ parallel ∥ mid ∣ nmid ∤ oplus ⊕ otimes ⊗ bullet ∙ lfloor ⌊ rfloor ⌋ lceil ⌈ rceil ⌉ langle ⟨ rangle ⟩ " +
    "lvert | rvert | lVert ‖ rVert ‖ vert | Vert ‖ | ‖ { { } } lbrace { rbrace } lbrack [ rbrack ] backslash \\ colon : uparrow ↑ downarrow ↓ " +
    "sum ∑ prod ∏ int ∫ iint ∬ oint ∮ bigcup ⋃ bigcap ⋂ models ⊨ vdash ⊢ asymp ≍ leqslant ⩽ geqslant ⩾ square □ blacksquare ■").split(" ")
    .reduce((pairs, word, i, all) => (i % 2 ? pairs : [...pairs, [word, all[i + 1]]]), []),
);
const NAMES = new Set("sin cos tan cot sec csc arcsin arccos arctan sinh cosh tanh log ln lg exp lim max min sup inf gcd lcm det dim ker arg mod Pr deg".split(" "));
const LARGE = new Set("sum prod bigcup bigcap lim max min".split(" "));
const SPACES = { ",": "0.17em", ":": "0.22em", ";": "0.28em", "!": "0", " ": "0.25em", quad: "1em", qquad: "2em" };
const FONTS = { mathbf: "bold", boldsymbol: "bold", mathbb: "double-struck", mathcal: "script", mathfrak: "fraktur", mathrm: "normal", mathit: null, mathsf: null, mathtt: null, operatorname: "normal" };
const BLACKBOARD = { C: "ℂ", H: "ℍ", N: "ℕ", P: "ℙ", Q: "ℚ", R: "ℝ", Z: "ℤ", E: "𝔼", F: "𝔽" };
const ACCENTS = { overline: "¯", bar: "¯", hat: "^", widehat: "^", vec: "→", overrightarrow: "→", tilde: "~", dot: "˙", ddot: "¨" };
const IGNORED = new Set("displaystyle textstyle limits nolimits left right big Big bigg Bigg bigl bigr Bigl Bigr biggl biggr nonumber notag middle hfill".split(" "));
const FENCES = { pmatrix: "()", bmatrix: "[]", vmatrix: "||", Bmatrix: "{}", cases: "{ ", matrix: "  ", array: "  ", aligned: "  ", align: "  ", "align*": "  ", gathered: "  ", split: "  ", equation: "  ", "equation*": "  ", smallmatrix: "  " };
const DEEPEST = 60;
const LONGEST = 4000;

function formula(tex, block) {
  if (tex.length > LONGEST) return null;
  try {
    const reader = new Tex(tex);
    const row = reader.row(() => false);
    return math("math", block ? { display: "block" } : {}, row);
  } catch (error) {
    if (error instanceof Unknown) return null;
    throw error;
  }
}

class Tex {
  constructor(tex) {
    this.tokens = tex.match(/\\[a-zA-Z]+\*?|\\[^a-zA-Z]|\d+(?:[.,]\d+)*|\s+|[^]/gu) ?? [];
    this.at = 0;
    this.depth = 0;
  }

  get next() { return this.tokens[this.at]; }

  skip() { while (this.next !== undefined && /^\s+$/.test(this.next)) this.at++; }

  row(ends) {
    if (++this.depth > DEEPEST) throw new Unknown();
    const parts = [];
    for (this.skip(); this.next !== undefined && !ends(this.next); this.skip()) parts.push(this.scripted());
    this.depth--;
    return math("mrow", {}, parts);
  }

  group() {
    this.skip();
    if (this.next !== "{") {
      if (this.next === undefined) throw new Unknown();
      return this.atom();
    }
    this.at++;
    const row = this.row((token) => token === "}");
    if (this.next !== "}") throw new Unknown();
    this.at++;
    return row;
  }

  raw() {
    this.skip();
    if (this.next !== "{") throw new Unknown();
    let open = 0;
    let text = "";
    do {
      const token = this.tokens[this.at++];
      if (token === undefined) throw new Unknown();
      open += token === "{" ? 1 : token === "}" ? -1 : 0;
      text += token;
    } while (open);
    return text.slice(1, -1);
  }

  scripted() {
    const large = LARGE.has((this.next ?? "").slice(1));
    const base = this.next === "^" || this.next === "_" ? math("mrow", {}) : this.atom();
    let below = null;
    let above = null;
    for (this.skip(); ["^", "_", "'"].includes(this.next); this.skip()) {
      const sign = this.tokens[this.at++];
      if (sign === "'") above = above ? math("mrow", {}, above, math("mo", {}, "′")) : math("mo", {}, "′");
      else if (sign === "^") above = this.group();
      else below = this.group();
    }
    if (below && above) return math(large ? "munderover" : "msubsup", {}, base, below, above);
    if (below) return math(large ? "munder" : "msub", {}, base, below);
    return above ? math(large ? "mover" : "msup", {}, base, above) : base;
  }

  atom() {
    const token = this.tokens[this.at];
    if (token === "{") return this.group();
    this.at++;
    if (token.startsWith("\\") && token.length > 1) return this.command(token.slice(1));
    if (/^\d/.test(token)) return math("mn", {}, token);
    if (/^\p{L}$/u.test(token)) return math("mi", {}, token);
    if (token === "}" || token === "&" || token === "#") throw new Unknown();
    if (token === "~") return math("mspace", { width: "0.25em" });
    return math("mo", {}, token === "-" ? "−" : token === "*" ? "∗" : token);
  }

  command(name) {
    if (name in SPACES) return math("mspace", { width: SPACES[name] });
    if (name in LETTERS) return math("mi", { mathvariant: "normal" }, LETTERS[name]);
    if (name in SIGNS) return math("mo", LARGE.has(name) ? { movablelimits: "true" } : {}, SIGNS[name]);
    if (NAMES.has(name)) return math("mi", {}, name);
    if (IGNORED.has(name)) return this.fence(name);
    if (/^[dt]?frac$|^cfrac$/.test(name)) return math("mfrac", {}, this.group(), this.group());
    if (/^[dt]?binom$/.test(name)) return this.binomial();
    if (name === "sqrt") return this.root();
    if (name in FONTS) return this.font(name);
    if (name in ACCENTS) return math("mover", { accent: "true" }, this.group(), math("mo", {}, ACCENTS[name]));
    if (name === "underline") return math("munder", {}, this.group(), math("mo", {}, "_"));
    if (/^(text|textbf|textit|textrm|texttt|mbox|hbox)$/.test(name)) return math("mtext", {}, this.raw().replace(/\\([%$#&_ ])/g, "$1"));
    if (name === "boxed" || name === "fbox") return math("mrow", { class: "boxed" }, this.group());
    if (name === "underbrace") return math("munder", {}, this.group(), math("mo", {}, "⏟"));
    if (name === "overbrace") return math("mover", {}, this.group(), math("mo", {}, "⏞"));
    if (name === "stackrel" || name === "overset") return this.over();
    if (name === "pmod") return math("mrow", {}, math("mo", {}, "("), math("mi", {}, "mod"), math("mspace", { width: "0.3em" }), this.group(), math("mo", {}, ")"));
    if (name === "bmod") return math("mo", {}, "mod");
    if (name === "not") return math("mrow", {}, math("mo", {}, "¬"), this.group());
    if (name === "tag") return math("mtext", {}, `  (${this.raw()})`);
    if (name === "begin") return this.table();
    if (name === "\\") return math("mspace", { linebreak: "newline" });
    throw new Unknown();
  }

  fence(name) {
    if (!/^(left|right|middle)$/.test(name)) return math("mrow", {});
    this.skip();
    if (this.next === undefined) throw new Unknown();
    if (this.next === ".") {
      this.at++;
      return math("mrow", {});
    }
    return this.atom();
  }

  over() {
    const above = this.group();
    return math("mover", {}, this.group(), above);
  }

  binomial() {
    const pair = math("mfrac", { linethickness: "0" }, this.group(), this.group());
    return math("mrow", {}, math("mo", {}, "("), pair, math("mo", {}, ")"));
  }

  root() {
    this.skip();
    if (this.next !== "[") return math("msqrt", {}, this.group());
    this.at++;
    const index = this.row((token) => token === "]");
    this.at++;
    return math("mroot", {}, this.group(), index);
  }

  font(name) {
    const node = this.group();
    for (const one of [node, ...node.querySelectorAll("mi, mn")]) {
      if (FONTS[name]) one.setAttribute("mathvariant", FONTS[name]);
      if (name === "mathbb" && !one.children.length) one.textContent = BLACKBOARD[one.textContent] ?? one.textContent;
    }
    return node;
  }

  table() {
    const kind = this.raw();
    if (!(kind in FENCES)) throw new Unknown();
    if (kind === "array") this.raw();
    const rows = [[]];
    for (;;) {
      rows.at(-1).push(math("mtd", {}, this.row((token) => ["&", "\\\\", "\\end"].includes(token))));
      const token = this.tokens[this.at++];
      if (token === "\\\\") rows.push([]);
      else if (token === "\\end") break;
      else if (token !== "&") throw new Unknown();
    }
    this.raw();
    const table = math("mtable", {}, rows.map((cells) => math("mtr", {}, cells)));
    const [open, close] = FENCES[kind];
    return math("mrow", {}, open !== " " && math("mo", {}, open), table, close !== " " && math("mo", {}, close));
  }
}
