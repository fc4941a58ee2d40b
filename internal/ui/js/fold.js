// A fold opens when an address leads to something inside it, and for paper, in browsers
// that do neither by themselves.
const reveal = () => {
  const target = location.hash.length > 1 && document.getElementById(location.hash.slice(1));
  if (!target) return;
  let opened = false;
  for (let fold = target.closest("details.fold:not([open])"); fold; fold = target.closest("details.fold:not([open])")) {
    fold.open = true;
    opened = true;
  }
  if (opened) target.scrollIntoView();
};
addEventListener("hashchange", reveal);
document.addEventListener("htmx:after:settle", reveal);
reveal();

addEventListener("beforeprint", () => {
  for (const fold of document.querySelectorAll("details.fold:not([open])")) {
    fold.open = true;
    fold.dataset.paper = "";
  }
});
addEventListener("afterprint", () => {
  for (const fold of document.querySelectorAll("details.fold[data-paper]")) {
    fold.open = false;
    delete fold.dataset.paper;
  }
});
