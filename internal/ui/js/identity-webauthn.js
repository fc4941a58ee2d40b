// Keys and passkeys: a form marked data-webauthn asks the browser for one, puts
// the answer into its field "response" and sends itself. Its question stands in
// data-options, or is fetched from data-begin. What goes wrong is said by the
// element of the page marked data-key-problem, and told to data-report.
const bytes = (text) => Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/")), (c) => c.charCodeAt(0));
const text = (buffer) => buffer && btoa(String.fromCharCode(...new Uint8Array(buffer))).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
const able = () => typeof PublicKeyCredential === "function" && !!navigator.credentials;

const question = async (form) => {
  if (!form.dataset.begin) return JSON.parse(form.dataset.options);
  const answer = await fetch(form.dataset.begin, { method: "POST", headers: { Accept: "application/json" } });
  if (!answer.ok) throw new Error("begin");
  const { ceremony, options } = await answer.json();
  form.elements.ceremony.value = ceremony;
  return options;
};
const readable = ({ publicKey: p }) => ({
  ...p,
  challenge: bytes(p.challenge),
  ...(p.user && { user: { ...p.user, id: bytes(p.user.id) } }),
  ...(p.allowCredentials && { allowCredentials: p.allowCredentials.map((c) => ({ ...c, id: bytes(c.id) })) }),
  ...(p.excludeCredentials && { excludeCredentials: p.excludeCredentials.map((c) => ({ ...c, id: bytes(c.id) })) }),
});
const writable = (c) => ({
  id: c.id, rawId: text(c.rawId), type: c.type,
  authenticatorAttachment: c.authenticatorAttachment ?? undefined,
  clientExtensionResults: c.getClientExtensionResults(),
  response: {
    clientDataJSON: text(c.response.clientDataJSON),
    attestationObject: text(c.response.attestationObject),
    transports: c.response.getTransports?.(),
    authenticatorData: text(c.response.authenticatorData),
    signature: text(c.response.signature),
    userHandle: text(c.response.userHandle) || undefined,
  },
});

// Which sentence fits: a refusal within 300 ms came from no human hand.
const problem = (name, after) => ({
  NotAllowedError: after < 300 ? "absent" : "cancelled",
  InvalidStateError: "known",
  SecurityError: "site",
  NotSupportedError: "unsupported",
  Unsupported: "unsupported",
})[name] ?? "failed";
const say = (form, name, after) => {
  const around = form.closest("main, [data-webauthn-only]") ?? document;
  const boxes = [...around.querySelectorAll("[data-key-problem]")];
  const fits = (p) => boxes.find((b) => b.dataset.keyProblem === p);
  const what = name && problem(name, after);
  const right = what && (fits(what) ?? fits(what === "absent" ? "cancelled" : "failed"));
  for (const box of boxes) box.hidden = box !== right;
  right?.scrollIntoView({ block: "nearest" });
};
const report = (form, name, after) => {
  if (!form.dataset.report) return;
  const facts = new URLSearchParams({ error: name, after: Math.round(after) });
  for (const field of ["at", "back"]) if (form.elements[field]) facts.set(field, form.elements[field].value);
  fetch(form.dataset.report, { method: "POST", body: facts, keepalive: true }).catch(() => {}); // the page says it all the same
};

let asking; // the question that the browser offers among the identifiers
const send = (form, credential) => {
  form.elements.response.value = JSON.stringify(writable(credential));
  if (form.elements.shared) form.elements.shared.value = document.querySelector("input[type=checkbox][name=shared]")?.checked ? "on" : "";
  form.requestSubmit();
};
const ask = async (form) => {
  let start = performance.now();
  say(form);
  asking?.abort();
  try {
    if (!able()) throw Object.assign(new Error(), { name: "Unsupported" });
    const publicKey = readable(await question(form));
    start = performance.now();
    send(form, await (form.dataset.webauthn === "create" ? navigator.credentials.create({ publicKey }) : navigator.credentials.get({ publicKey })));
  } catch ({ name }) {
    const after = performance.now() - start;
    say(form, name, after);
    report(form, name, after);
    dispatchEvent(new Event("pageshow")); // the button rests
  }
};
document.addEventListener("submit", (event) => {
  const form = event.target.closest?.("form[data-webauthn]");
  if (!form || form.elements.response.value) return;
  event.preventDefault();
  event.stopImmediatePropagation();
  ask(form);
}, true);

// Passkeys among the suggestions of the field for the identifier. The question
// lasts five minutes, so it is put again before that.
const suggest = async () => {
  const form = document.querySelector("form[data-conditional]");
  if (!form || !able() || !(await PublicKeyCredential.isConditionalMediationAvailable?.())) return;
  asking?.abort();
  const mine = (asking = new AbortController());
  const again = setTimeout(suggest, 4 * 60 * 1000);
  try {
    const publicKey = readable(await question(form));
    const credential = await navigator.credentials.get({ publicKey, mediation: "conditional", signal: mine.signal });
    if (credential) send(form, credential);
  } catch {
    // Nobody asked for it aloud: without it the form is what it was.
  } finally {
    if (mine.signal.aborted || asking !== mine) clearTimeout(again);
  }
};
const offer = () => {
  for (const part of document.querySelectorAll("[data-webauthn-only][hidden]")) part.hidden = !able();
  for (const form of document.querySelectorAll("form[data-webauthn]")) if (!able() && !form.closest("[data-webauthn-only]")) say(form, "Unsupported", 0);
  suggest();
};
addEventListener("pageshow", (event) => {
  if (!event.persisted) return;
  for (const form of document.querySelectorAll("form[data-webauthn]")) form.elements.response.value = ""; // back: ask afresh
});
document.addEventListener("htmx:after:settle", offer);
offer();
