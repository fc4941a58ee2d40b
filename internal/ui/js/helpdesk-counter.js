// The screen above a counter: every few seconds the page is fetched, and the parts
// that say something else are replaced. What did not change is not read out again.
const look = async () => {
  const screen = document.querySelector("[data-counter-screen]");
  if (!screen || document.hidden) return;
  try {
    const answer = await fetch(location.href, { headers: { Accept: "text/html" } });
    if (!answer.ok) return;
    const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
    for (const part of screen.querySelectorAll("[data-part]")) {
      const now = fresh.querySelector(`[data-part="${part.dataset.part}"]`);
      if (now && now.textContent !== part.textContent) part.replaceChildren(...now.childNodes);
    }
  } catch {
    // The network is away: what stands there stays, and the next look tries again.
  }
};
setInterval(look, 4000);
