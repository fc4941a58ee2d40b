// A new password: each rule is ticked while one types, with the words that the
// server would answer with. The server checks everything again.
const rows = "abcdefghijklmnopqrstuvwxyz 01234567890 azertyuiop qsdfghjklm wxcvbn qwertyuiop asdfghjkl zxcvbnm";
const ligatures = { œ: "oe", Œ: "oe", æ: "ae", Æ: "ae", ß: "ss", ø: "o", Ø: "o", ł: "l", Ł: "l", đ: "d", Đ: "d" };
const normal = (text) => text.replace(/\p{Zs}/gu, " ").normalize("NFC");
const fold = (text) => text.replace(/[œŒæÆßøØłŁđĐ]/g, (c) => ligatures[c]).normalize("NFKD").replace(/[^\p{L}\p{Nd}]/gu, "").toLowerCase();
const follows = (b, c) => b === c || rows.includes(b + c) || rows.includes(c + b);

// The shortest text that this one repeats.
const unit = (text) => {
  const letters = [...text];
  for (let n = 1; n <= letters.length / 2; n++) {
    const part = letters.slice(0, n).join("");
    if (letters.length % n === 0 && part.repeat(letters.length / n) === text) return part;
  }
  return text;
};
const surprises = (text) => [...unit(text).toLowerCase()].filter((c, i, all) => i === 0 || !follows(all[i - 1], c)).length;

// Whether a password keeps a rule; undefined where only the server knows.
const keeps = (rule, plain, box) => {
  const length = [...plain].length;
  const long = +box.dataset.passphrase > 0 && length >= +box.dataset.passphrase;
  switch (rule.dataset.rule) {
    case "length": return length >= +rule.dataset.least;
    case "letters_and_digits": return long || (/\p{L}/u.test(plain) && /\p{Nd}/u.test(plain));
    case "upper": return long || /\p{Lu}/u.test(plain);
    case "special": return long || /[\p{P}\p{S}]/u.test(plain);
    case "not_simple": return surprises(plain) >= 5;
    case "not_you": {
      const login = document.getElementById(box.dataset.loginField)?.value.split("@")[0] ?? "";
      const parts = [...box.dataset.parts.split(" "), ...login.split(/[^\p{L}\p{M}\p{Nd}]+/u).map(fold), fold(login)];
      const folded = fold(plain);
      return !parts.some((part) => [...part].length >= 4 && folded.includes(part));
    }
    default: return undefined;
  }
};

const mark = (rule, kept) => {
  const state = kept === undefined ? "" : kept ? "kept" : "broken";
  if (rule.dataset.state === state) return;
  rule.dataset.state = state;
  rule.querySelector("[data-said]").textContent = state ? rule.querySelector("[data-said]").dataset[state] : "";
};

// How many rules are kept is said when one pauses, not at every key.
const say = (box) => {
  const told = [...box.querySelectorAll("[data-rule]")].filter((r) => r.dataset.state !== "");
  const line = box.querySelector("[data-ticks]");
  line.textContent = told.length === 0 ? "" : line.dataset.ticks.replace("{kept}", told.filter((r) => r.dataset.state === "kept").length).replace("{all}", told.length);
};

// The one rule that the browser cannot know is asked of the server, once the
// others are kept: what is refused anyway need not travel.
const ask = async (box, plain) => {
  const rule = box.querySelector("[data-rule=breached]");
  if (!rule || [...box.querySelectorAll("[data-rule]")].some((r) => r.dataset.state === "broken" && r !== rule)) return;
  try {
    const answer = await fetch(box.dataset.known, { method: "POST", body: new URLSearchParams({ plain }) });
    if (!answer.ok || normal(document.getElementById(box.dataset.newPassword)?.value ?? "") !== plain) return;
    mark(rule, !(await answer.json()).known);
  } catch {
    // Not reached: the rule stays open, and is checked when the form is sent.
  }
};

const waits = new WeakMap();
const look = (box) => {
  const plain = normal(document.getElementById(box.dataset.newPassword).value);
  const again = normal(document.getElementById(box.dataset.again).value);
  for (const rule of box.querySelectorAll("[data-rule]")) mark(rule, plain === "" ? undefined : keeps(rule, plain, box));
  clearTimeout(waits.get(box));
  waits.set(box, setTimeout(async () => {
    if (plain !== "") await ask(box, plain);
    const same = box.querySelector("[data-same]");
    same.textContent = again === "" ? "" : again === plain ? same.dataset.same : same.dataset.different;
    say(box);
  }, 500));
};

document.addEventListener("input", (event) => {
  for (const box of document.querySelectorAll("[data-new-password]")) {
    if ([box.dataset.newPassword, box.dataset.again, box.dataset.loginField].includes(event.target.id)) look(box);
  }
});

document.addEventListener("click", async (event) => {
  const use = event.target.closest?.("[data-phrase-use]"), other = event.target.closest?.("[data-phrase-other]");
  const box = (use ?? other)?.closest("[data-new-password]");
  if (!box) return;
  const phrase = box.querySelector("[data-phrase]");
  if (other) {
    try {
      const answer = await fetch(other.dataset.phraseOther, { cache: "no-store" });
      if (answer.ok) phrase.textContent = await answer.text();
    } catch {
      // Not reached: the one shown is as good.
    }
    return;
  }
  for (const id of [box.dataset.newPassword, box.dataset.again]) {
    const input = document.getElementById(id);
    input.value = phrase.textContent;
    input.dispatchEvent(new Event("input", { bubbles: true }));
  }
  document.getElementById(box.dataset.again).focus();
});

const show = () => { for (const b of document.querySelectorAll("[data-phrase-use][hidden], [data-phrase-other][hidden]")) b.hidden = false; };
document.addEventListener("htmx:after:settle", show);
show();
