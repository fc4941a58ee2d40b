// Passwords: show them on request, and say when Caps Lock is on.
const show = () => { for (const b of document.querySelectorAll("[data-reveal][hidden]")) b.hidden = false; };
document.addEventListener("click", (event) => {
  const button = event.target.closest?.("[data-reveal]");
  const input = button && document.getElementById(button.dataset.reveal);
  if (!input) return;
  input.type = input.type === "password" ? "text" : "password";
  [button.textContent, button.dataset.hide] = [button.dataset.hide, button.textContent];
});
// Sent hidden, so that the browser offers to keep it and never stores it in the clear.
document.addEventListener("submit", (event) => {
  for (const b of event.target.querySelectorAll("[data-reveal]")) document.getElementById(b.dataset.reveal).type = "password";
}, true);
document.addEventListener("keyup", (event) => {
  const said = event.getModifierState && document.querySelector(`[data-caps="${CSS.escape(event.target.id ?? "")}"]`);
  if (said) said.textContent = event.getModifierState("CapsLock") ? said.dataset.say : "";
});
document.addEventListener("htmx:after:settle", show);
show();
