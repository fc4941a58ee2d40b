// A button whose answer takes longer than 300 ms says that it is at work.
let pending;
document.addEventListener("submit", (event) => {
  const button = event.submitter;
  if (!button?.matches("button.button")) return;
  clearTimeout(pending);
  pending = setTimeout(() => {
    button.setAttribute("aria-busy", "true");
    if (!button.dataset.busy) return;
    button.dataset.label = button.textContent;
    button.textContent = button.dataset.busy;
  }, 300);
});
const rest = () => {
  clearTimeout(pending);
  for (const button of document.querySelectorAll("button[aria-busy]")) {
    button.removeAttribute("aria-busy");
    if (button.dataset.label) button.textContent = button.dataset.label;
  }
};
document.addEventListener("htmx:finally:request", rest);
addEventListener("pageshow", rest); // back from the next page, out of the browser's memory
