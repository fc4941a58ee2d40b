// What htmx does not do when it swaps the body of one page for another: it
// leaves the html element alone, moves no focus and says nothing when the
// answer never comes.

// The html element says the language, the appearance and which stylesheet the
// page was made for. All three may change between two pages.
document.addEventListener("htmx:before:swap", (event) => {
  const { ctx } = event.detail;
  const tag = ctx.target === document.body && ctx.text?.match(/<html[^>]*>/i)?.[0];
  if (!tag) return;
  const value = (name) => tag.match(new RegExp(`\\s${name}="([^"]*)"`))?.[1];
  const root = document.documentElement;
  if (value("data-assets") !== root.dataset.assets && ctx.request.method === "GET") {
    event.preventDefault(); // the program was updated: take its new stylesheet and scripts
    location.assign(ctx.response.raw.url);
    return;
  }
  root.lang = value("lang") ?? root.lang;
  root.dataset.appearance = value("data-appearance") ?? root.dataset.appearance;
});

// A new page is announced by moving to its heading, unless it asks for another
// place, as forms with something to mend do.
document.addEventListener("htmx:after:settle", (event) => {
  if (event.detail.task.target !== document.body || document.querySelector("[autofocus]")) return;
  const heading = document.querySelector("main h1") ?? document.querySelector("main");
  if (!heading) return;
  heading.tabIndex = -1;
  heading.focus({ preventScroll: true });
});

// A link to something that is no page is followed by the browser itself.
document.addEventListener("htmx:before:response", (event) => {
  const { request, response } = event.detail.ctx;
  const kind = response.headers.get("Content-Type") ?? "";
  if (request.method !== "GET" || kind === "" || kind.startsWith("text/html")) return;
  event.preventDefault();
  request.abort(); // the browser asks again, and reads the answer
  setTimeout(() => location.assign(response.raw.url));
});

// Nothing fails quietly: a link falls back to the browser, whose own page
// explains; a form keeps what was typed and says so.
document.addEventListener("htmx:error", (event) => {
  const { ctx } = event.detail;
  if (!ctx?.request || ctx.response) return;
  if (ctx.request.method === "GET") {
    location.assign(ctx.request.action);
    return;
  }
  const said = document.getElementById("lost");
  if (!said) return;
  said.hidden = false;
  said.scrollIntoView({ block: "nearest" });
});
