// The self-test of the browser: what only a script can see goes into the form,
// which is sent as without scripts. Nothing leaves before the button is pressed.
const look = async () => {
  const form = document.querySelector("form[data-diagnostic]:not([data-looked])");
  if (!form) return;
  form.dataset.looked = "";
  const say = (name, yes) => { form.elements[name].value = yes ? "yes" : "no"; };
  say("script", true);
  form.addEventListener("submit", () => {
    form.elements.clock.value = Date.now();
    setTimeout(() => { document.querySelector("[data-diagnostic-stuck]").textContent = form.dataset.stuck ?? ""; }, 4000);
  });
  try {
    localStorage.setItem("amphi-probe", "1");
    say("storage", localStorage.getItem("amphi-probe") === "1");
    localStorage.removeItem("amphi-probe");
  } catch { say("storage", false); }
  say("webauthn", "PublicKeyCredential" in window);
  try { say("device", await PublicKeyCredential.isUserVerifyingPlatformAuthenticatorAvailable()); } catch { say("device", false); }
  try { say("fetch", (await fetch(form.dataset.echo, { cache: "no-store" })).status === 204); } catch { say("fetch", false); }
};
document.addEventListener("htmx:after:settle", look);
look();
