// Sorting by a click on a column's header, and one of several tables at a time. The page works without it.
for (const table of document.querySelectorAll("table.sortable")) {
  const headers = table.tHead.rows[table.tHead.rows.length - 1].cells;
  for (const [column, header] of [...headers].entries()) {
    const button = document.createElement("button");
    button.append(...header.childNodes);
    header.append(button);
    button.addEventListener("click", () => {
      const falling = header.getAttribute("aria-sort") !== "descending";
      for (const other of headers) other.removeAttribute("aria-sort");
      header.setAttribute("aria-sort", falling ? "descending" : "ascending");
      const sign = falling ? -1 : 1;
      const key = (row) => row.cells[column].dataset.sort ?? row.cells[column].textContent.trim();
      const missing = (value) => value === "–" || value === "";
      const compare = (a, b) =>
        missing(a) - missing(b) || sign * (isNaN(a) || isNaN(b) ? a.localeCompare(b) : a - b);
      const rows = [...table.tBodies[0].rows];
      table.tBodies[0].append(...rows.sort((a, b) => compare(key(a), key(b))));
    });
  }
}
for (const choices of document.querySelectorAll(".choices")) {
  const parts = [...choices.querySelectorAll(":scope > .choice")];
  const buttons = parts.map((part) => {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = part.getAttribute("aria-label");
    button.addEventListener("click", () => show(part));
    return button;
  });
  const show = (chosen) => {
    for (const [at, part] of parts.entries()) {
      part.hidden = part !== chosen;
      buttons[at].setAttribute("aria-pressed", part === chosen);
    }
  };
  const bar = document.createElement("p");
  bar.className = "switch";
  bar.append("Rank by ", ...buttons);
  choices.prepend(bar);
  show(parts[0]);
}
addEventListener("beforeprint", () => {
  for (const part of document.querySelectorAll("details")) part.open = true;
});
