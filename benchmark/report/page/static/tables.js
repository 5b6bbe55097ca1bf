// Tables: sorting by a click on a column's header, and those that are made when somebody opens them.

function sortable(table) {
  const headers = table.tHead.rows[table.tHead.rows.length - 1].cells;
  for (const [column, header] of [...headers].entries()) {
    const button = el("button", { type: "button" });
    button.append(...header.childNodes);
    header.append(button);
    button.addEventListener("click", () => {
      const falling = header.getAttribute("aria-sort") !== "descending";
      for (const other of headers) other.removeAttribute("aria-sort");
      header.setAttribute("aria-sort", falling ? "descending" : "ascending");
      const sign = falling ? -1 : 1;
      const key = (row) => row.cells[column].dataset.sort ?? row.cells[column].textContent.trim();
      const missing = (value) => value === DASH || value === "";
      const compare = (a, b) => missing(a) - missing(b) || sign * (isNaN(a) || isNaN(b) ? a.localeCompare(b) : a - b);
      const rows = [...table.tBodies[0].rows];
      table.tBodies[0].append(...rows.sort((a, b) => compare(key(a), key(b))));
    });
  }
  return narrowed(table);
}

// What stands in brackets is not broken over two lines where there is room; `page.py` does the same.
const wholeIntervals = (text) => text.split(/(\[[^\]]*\])/).map((part, at) => (at % 2 ? el("span", { class: "ends" }, part) : part));

// A table as `later.py` writes it: a cell is its text, or [text, sorted by, muted, notes].
function laterTable(place) {
  const { caption, columns, groups, rows, notes } = wholeTable(laterTables[place]);
  if (!rows.length && tablesAreOf) return [nothing()];
  const id = (note) => `later${place}-${note + 1}`;
  const cell = (content, column) => {
    const [text, sort, muted, marks] = [content].flat(1).length && Array.isArray(content) ? content : [content];
    const kind = muted ? "muted" : text.length > 40 ? "long" : null;
    const made = el(column ? "td" : "th", { scope: column ? null : "row", class: kind, "data-sort": sort ?? null }, wholeIntervals(text));
    for (const note of marks ?? []) made.append(el("sup", {}, el("a", { href: `#${id(note)}` }, note + 1)));
    return made;
  };
  const head = el("tr", {}, columns.map((name) => el("th", { scope: "col" }, name)));
  const group = groups.length && el("tr", {}, groups.map(([name, colspan]) => name ? el("th", { scope: "colgroup", class: "group", colspan }, name) : el("td", { colspan })));
  const table = el("table", { class: "sortable" }, el("caption", {}, caption), el("thead", {}, group || null, head),
    el("tbody", {}, rows.map((row) => el("tr", {}, row.map(cell)))));
  const list = notes.length && el("ol", { class: "notes" }, notes.map((note, at) => el("li", { id: id(at) }, note)));
  rowsOf(table);
  return [el("div", { class: "scroll", tabindex: 0, role: "region", "aria-label": caption }, sortable(table)), ...(list ? [list] : [])];
}

const nothing = () => el("p", {}, `Nothing here is of ${tablesAreOf}.`);

// Rows of other protocols than the chosen one are hidden where a table says of each row what its protocol is.
let tablesAreOf = "";
function rowsOf(table) {
  const column = [...table.tHead.rows[table.tHead.rows.length - 1].cells].findIndex((head) => head.textContent === "Protocol");
  if (column < 0) return;
  const rows = [...table.tBodies[0].rows];
  if (!rows.length) return;
  for (const row of rows) row.hidden = tablesAreOf !== "" && row.cells[column].textContent.trim() !== tablesAreOf;
  table.deleteTFoot();
  if (rows.every((row) => row.hidden)) table.createTFoot().append(el("tr", {}, el("td", { colspan: rows[0].cells.length }, nothing())));
}

// A table is made when it is opened, and again where it was made for another protocol.
function openLater(details) {
  if (details.dataset.table === undefined || !details.open || details.dataset.madeOf === tablesAreOf) return;
  for (const old of [...details.children].slice(1)) old.remove();
  details.append(...laterTable(Number(details.dataset.table)));
  details.dataset.madeOf = tablesAreOf;
}

function tablesOf(protocol) {
  if (protocol === tablesAreOf) return;
  tablesAreOf = protocol;
  for (const table of document.querySelectorAll("#tables table.sortable")) rowsOf(table);
  for (const ranking of rankings) rankWithin(protocol, ranking);
  for (const details of document.querySelectorAll("details.later")) openLater(details);
}
for (const details of document.querySelectorAll("details.later")) details.addEventListener("toggle", () => openLater(details));
for (const table of document.querySelectorAll("table.sortable")) sortable(table);
