// What is nicer with scripts and works without: times in the reader's own zone.
for (const time of document.querySelectorAll("time[datetime]")) {
  const moment = new Date(time.dateTime);
  if (Number.isNaN(moment.valueOf())) continue;
  time.title = time.textContent;
  const language = document.documentElement.lang;
  const timeStyle = time.dataset.precise === undefined ? "short" : "medium";
  const said = new Intl.DateTimeFormat(language, { dateStyle: "medium", timeStyle }).format(moment);
  // A style has no place for the zone, and without it nobody can tell this from the UTC of a page without scripts.
  const parts = new Intl.DateTimeFormat(language, { timeZoneName: "short" }).formatToParts(moment);
  time.textContent = `${said} ${parts.find((part) => part.type === "timeZoneName").value}`;
}
