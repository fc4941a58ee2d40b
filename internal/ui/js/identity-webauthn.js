// Keys and passkeys. A form with data-webauthn, "create" or "get", carries the
// options of a ceremony in data-options (WebAuthn §5.1) and an empty field
// "response". Its button asks the key and sends the answer as JSON. What the
// browser refuses is said by the element with the fitting data-key-problem:
// unsupported, absent, cancelled, known or failed.
const bytes = (text) => Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/")), (c) => c.charCodeAt(0));
const text = (buffer) => buffer ? btoa(String.fromCharCode(...new Uint8Array(buffer))).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "") : undefined;
const decoded = (list) => list?.map((c) => ({ ...c, id: bytes(c.id) })) ?? [];

const ask = async (form) => {
  const { publicKey } = JSON.parse(form.dataset.options);
  const create = form.dataset.webauthn === "create";
  publicKey.challenge = bytes(publicKey.challenge);
  if (create) {
    publicKey.user.id = bytes(publicKey.user.id);
    publicKey.excludeCredentials = decoded(publicKey.excludeCredentials);
  } else {
    publicKey.allowCredentials = decoded(publicKey.allowCredentials);
  }
  const key = await (create ? navigator.credentials.create({ publicKey }) : navigator.credentials.get({ publicKey }));
  const { response } = key;
  return JSON.stringify({
    id: key.id, rawId: text(key.rawId), type: key.type,
    authenticatorAttachment: key.authenticatorAttachment ?? undefined,
    clientExtensionResults: key.getClientExtensionResults(),
    response: {
      clientDataJSON: text(response.clientDataJSON),
      ...(create
        ? { attestationObject: text(response.attestationObject), transports: response.getTransports?.() ?? [] }
        : { authenticatorData: text(response.authenticatorData), signature: text(response.signature), userHandle: text(response.userHandle) }),
    },
  });
};

const say = (problem) => {
  const all = [...document.querySelectorAll("[data-key-problem]")];
  for (const e of all) e.hidden = true;
  const found = (name) => all.find((e) => e.dataset.keyProblem === name);
  const fits = problem && (found(problem) ?? (problem === "absent" ? found("cancelled") : found("failed")));
  if (!fits) return;
  fits.hidden = false;
  fits.scrollIntoView({ block: "nearest" });
};

// A refusal within a blink means that there was nothing to ask.
const problemOf = (error, took) => ({
  NotAllowedError: took < 300 ? "absent" : "cancelled", AbortError: "cancelled", InvalidStateError: "known", NotSupportedError: "unsupported",
})[error.name] ?? "failed";

document.addEventListener("submit", async (event) => {
  const form = event.target, field = form.elements.response;
  if (!form.dataset.webauthn || !field || field.value) return;
  event.preventDefault();
  event.stopImmediatePropagation();
  if (form.dataset.asking) return; // pressed twice
  const started = performance.now();
  say("");
  form.dataset.asking = "yes";
  try {
    field.value = await ask(form);
    form.requestSubmit(event.submitter);
  } catch (error) {
    say(problemOf(error, performance.now() - started));
  } finally {
    delete form.dataset.asking;
  }
}, true);
// Back from the next page, out of the browser's memory: the answer was used.
addEventListener("pageshow", () => { for (const form of document.querySelectorAll("form[data-webauthn]")) form.elements.response.value = ""; });

const look = () => { if (!window.PublicKeyCredential && document.querySelector("form[data-webauthn]")) say("unsupported"); };
document.addEventListener("htmx:after:settle", look);
look();
