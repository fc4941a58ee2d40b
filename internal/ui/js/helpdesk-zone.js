// Promised times are said in the time zone of the institution. Who is elsewhere
// reads them in their own as well.
const localise = () => {
  const own = Intl.DateTimeFormat().resolvedOptions().timeZone;
  for (const element of document.querySelectorAll("time[data-zone]:not([data-said])")) {
    element.dataset.said = "yes";
    const at = new Date(element.dateTime);
    const language = document.documentElement.lang;
    const say = (zone) => at.toLocaleString(language, { timeZone: zone, weekday: "long", hour: "2-digit", minute: "2-digit" });
    let there;
    try {
      there = say(element.dataset.zone);
    } catch {
      continue; // a zone that this browser does not know
    }
    const here = say(own);
    if (here !== there) element.append(` (${here}, ${element.dataset.yours})`);
  }
};
document.addEventListener("DOMContentLoaded", localise);
document.addEventListener("htmx:after:settle", localise);
localise();
