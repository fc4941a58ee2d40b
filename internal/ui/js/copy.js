// A button beside a code copies it. Without scripts the button stays hidden.
const show = () => {
  if (navigator.clipboard) for (const b of document.querySelectorAll("[data-copy][hidden]")) b.hidden = false;
};
document.addEventListener("click", async (event) => {
  const button = event.target.closest?.("[data-copy]");
  if (!button) return;
  const said = button.parentElement.querySelector("[role=status]");
  try {
    await navigator.clipboard.writeText(button.dataset.copy);
    said.textContent = button.dataset.done;
    setTimeout(() => { said.textContent = ""; }, 2500);
  } catch {
    // Refused by the browser: mark the code, so that the keyboard copies it.
    getSelection().selectAllChildren(button.parentElement.querySelector("code"));
  }
});
document.addEventListener("htmx:after:settle", show);
show();
