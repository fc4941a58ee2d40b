// A button that prints the page. Without scripts it stays hidden: the browser's
// own menu prints as well.
const show = () => { for (const b of document.querySelectorAll("[data-print][hidden]")) b.hidden = false; };
document.addEventListener("click", (event) => { if (event.target.closest?.("[data-print]")) print(); });
document.addEventListener("htmx:after:settle", show);
show();
