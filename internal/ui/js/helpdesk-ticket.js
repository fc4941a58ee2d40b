// The help desk's agents: keys, drafts that survive, and who else writes.

// Keys press what the page shows: an element with data-key is clicked, or takes the
// focus when it is typed in. They work on pages that list them (data-keys), are off in
// fields, with a modifier, and for who turned them off there, for all pages of this
// browser (WCAG 2.2, criterion 2.1.4).
const off = "amphi-keys-off";
const typing = (t) => t.closest?.("input:not([type=radio]):not([type=checkbox]), textarea, select, [contenteditable]");
const visible = (e) => e.checkVisibility?.() ?? e.offsetParent !== null;
const keysOff = () => { try { return localStorage.getItem(off) === "1"; } catch { return false; } };

document.addEventListener("keydown", (event) => {
  if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || event.isComposing || event.repeat) return;
  if (!document.querySelector("[data-keys]") || typing(event.target) || keysOff()) return;
  if (event.key === "j" || event.key === "k") {
    step(event.key === "j" ? 1 : -1, event);
    return;
  }
  if (event.key === "x") {
    event.target.closest?.("tr")?.querySelector("[name=number]")?.click();
    return;
  }
  const target = [...document.querySelectorAll("[data-key]")].find((e) => e.dataset.key === event.key && (visible(e) || e.closest("[data-keys]")));
  if (!target) return;
  event.preventDefault();
  if (target.matches("summary")) {
    const list = target.parentElement;
    list.open = !list.open;
    target.focus();
    list.scrollIntoView({ block: "nearest" });
  } else if (target.matches("[type=search]")) {
    target.select();
    target.focus();
  } else {
    target.click();
    if (target.matches("[type=radio]")) document.querySelector("[data-body]")?.focus();
  }
});

// On a list, j and k go from request to request; Enter opens it, as for any link.
// Beside one request they lead to the next of the list that was opened last.
const tickets = () => [...document.querySelectorAll('main a[href^="/helpdesk/tickets/"]')].filter((a) => /^\/helpdesk\/tickets\/\d{8}(\?|$)/.test(a.getAttribute("href")) && visible(a));
const listed = "amphi-tickets";
const step = (by, event) => {
  const here = location.pathname.match(/^\/helpdesk\/tickets\/(\d{8})$/)?.[1];
  if (here) {
    let list = [];
    try { list = JSON.parse(sessionStorage.getItem(listed)) || []; } catch { /* none was opened */ }
    const next = list[list.indexOf(here) + by];
    if (list.includes(here) && next) location.assign("/helpdesk/tickets/" + next);
    return;
  }
  const links = tickets();
  if (!links.length) return;
  event.preventDefault();
  const row = document.activeElement?.closest("tr");
  const at = links.findIndex((a) => a === document.activeElement || row?.contains(a));
  links[Math.min(Math.max(at < 0 ? (by > 0 ? 0 : links.length - 1) : at + by, 0), links.length - 1)].focus();
};

// A page that is being written on tells the house every few seconds what it holds,
// and hears who else writes and whether the request was changed.
let timer, touched = false;
const pulse = async (form) => {
  const body = new URLSearchParams({
    body: form.elements.body.value, kind: form.elements.kind.value, version: form.elements.version.value, touched: touched ? "1" : "",
  });
  touched = false;
  try {
    const answer = await fetch(form.dataset.draft, { method: "POST", body });
    if (!answer.ok) return;
    const said = await answer.json();
    const place = document.querySelector("[data-writing]");
    const text = [said.writing, said.changed].filter(Boolean).join(" ");
    if (place && place.textContent !== text) place.textContent = text;
  } catch {
    touched = true; // offline: what is typed stays in the page, and is told later
  }
};

const arrive = () => {
  clearInterval(timer);
  if (/^\/helpdesk\/tickets$/.test(location.pathname)) {
    try { sessionStorage.setItem(listed, JSON.stringify(tickets().map((a) => a.pathname.split("/").pop()))); } catch { /* private */ }
  }
  const keys = document.querySelector("[data-keys]");
  if (keys) {
    keys.hidden = false;
    keys.querySelector("[data-keys-on]").checked = !keysOff();
  }
  const form = document.querySelector("form[data-draft]");
  if (!form) return;
  touched = false;
  timer = setInterval(() => {
    if (!form.isConnected) clearInterval(timer);
    else if (!document.hidden) pulse(form);
  }, 8000);
};
document.addEventListener("input", (event) => {
  if (event.target.closest?.("form[data-draft]")) touched = true;
});
document.addEventListener("change", (event) => {
  if (!event.target.matches?.("[data-keys-on]")) return;
  try { localStorage.setItem(off, event.target.checked ? "0" : "1"); } catch { /* private: for this page only */ }
});
document.addEventListener("visibilitychange", () => {
  const form = document.querySelector("form[data-draft]");
  if (form && document.hidden && touched) pulse(form);
});
document.addEventListener("htmx:after:settle", arrive);
arrive();
