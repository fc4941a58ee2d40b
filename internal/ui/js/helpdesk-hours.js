// A desk says its own clock. A reader whose clock shows another time reads theirs as
// well: "(3:00 where you are)".
const sayLocal = () => {
  for (const element of document.querySelectorAll("[data-local-time][hidden]")) {
    const at = new Date(element.dataset.localTime);
    const words = (zone) => at.toLocaleString(document.documentElement.lang, { weekday: "long", hour: "numeric", minute: "2-digit", timeZone: zone });
    if (words(undefined) === words(element.dataset.zone)) continue;
    element.textContent = element.dataset.say.replace("{time}", words(undefined));
    element.hidden = false;
  }
};
document.addEventListener("htmx:after:settle", sayLocal);
sayLocal();
