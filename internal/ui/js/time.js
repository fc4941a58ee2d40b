// "3 minutes ago" stays true while the page is open. The server words times up
// to twelve hours this way; beyond, it says the day, which does not age.
const tick = () => {
  const words = new Intl.RelativeTimeFormat(document.documentElement.lang);
  for (const element of document.querySelectorAll("time[data-ago]")) {
    const minutes = Math.round((new Date(element.dateTime) - Date.now()) / 60000);
    if (Math.abs(minutes) < 1 || Math.abs(minutes) >= 720) continue;
    element.textContent = Math.abs(minutes) < 60 ? words.format(minutes, "minute") : words.format(Math.trunc(minutes / 60), "hour");
  }
};
setInterval(tick, 60000);
