// The search of the directory answers while one types. Without scripts its button
// does, and the address of the answer is the same.
let wait, asked;
const ask = async (form) => {
  asked?.abort();
  const mine = (asked = new AbortController());
  const words = new URLSearchParams([...new FormData(form)].filter(([, value]) => value));
  const address = words.size ? `${form.action}?${words}` : form.action;
  try {
    const answer = await fetch(address, { signal: mine.signal, headers: { Accept: "text/html" } });
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const id = form.dataset.finder;
    const [here, there] = [document.getElementById(id), page.getElementById(id)];
    if (!here || !there) { location.assign(address); return; } // signed out, or something failed: its page says so
    here.replaceChildren(...there.childNodes);
    history.replaceState(history.state, "", address);
  } catch (failure) {
    if (failure.name !== "AbortError") location.assign(address);
  }
};
const later = (event, delay) => {
  const form = event.target.closest?.("form[data-finder]");
  if (!form) return;
  clearTimeout(wait);
  wait = setTimeout(() => ask(form), delay);
};
document.addEventListener("input", (event) => later(event, event.target.matches?.("select") ? 0 : 250));
document.addEventListener("submit", (event) => {
  if (event.target.matches?.("form[data-finder]")) { clearTimeout(wait); asked?.abort(); }
});
