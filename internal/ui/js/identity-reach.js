// "Send it again" rests until the message may be sent again, and counts down.
const rest = () => {
  for (const button of document.querySelectorAll("button[data-resend-at]")) {
    const left = Math.ceil((new Date(button.dataset.resendAt) - Date.now()) / 1000);
    button.dataset.says ??= button.textContent;
    // A clock that is hours off must not lock the button.
    const waits = left > 0 && left <= 3600;
    button.disabled = waits;
    button.textContent = waits ? button.dataset.resendWait.replace("{}", left) : button.dataset.says;
  }
};
// The demo's phone shows what comes while it is open.
const ring = async () => {
  const phone = document.querySelector("[data-phone]");
  if (!phone || document.hidden) return;
  try {
    const page = new DOMParser().parseFromString(await (await fetch(location.href)).text(), "text/html");
    const fresh = page.getElementById(phone.id);
    if (fresh && fresh.textContent !== phone.textContent) phone.replaceChildren(...fresh.childNodes);
  } catch {
    // The house does not answer; the next look will tell.
  }
};
setInterval(rest, 1000);
setInterval(ring, 4000);
document.addEventListener("htmx:after:settle", rest);
rest();
