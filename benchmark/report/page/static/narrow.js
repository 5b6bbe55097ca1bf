// Tables on a narrow screen, where the style shows each row as a card: it takes the names of the columns from here.
const NARROW = { few: matchMedia("screen and (max-width: 40rem)"), many: matchMedia("screen and (max-width: 64rem)") };
const COLUMNS = 7; // columns, for which a tablet held upright is narrow too
function shaped(table) {
  table.classList.toggle("cards", NARROW[table.dataset.columns].matches);
}
for (const width of Object.values(NARROW)) {
  width.addEventListener("change", () => document.querySelectorAll("table[data-columns]").forEach(shaped));
}
function narrowed(table) {
  const { rows } = table.tHead;
  if (rows.length > 1) { // groups of columns: too many for a card, so the first column stays and the others go by
    table.classList.add("wide");
    return table;
  }
  const names = [...rows[0].cells].map((head) => head.dataset.name ?? head.textContent.trim());
  if (names.length < 3 || table.classList.contains("small")) return table; // fits as it is
  table.dataset.columns = names.length < COLUMNS ? "few" : "many";
  shaped(table);
  for (const row of table.tBodies[0].rows) for (const cell of row.cells) cell.dataset.label = names[cell.cellIndex];
  // Said aloud too: what is no table to the style would be none to a screen reader.
  table.setAttribute("role", "table");
  for (const part of [table.tHead, ...table.tBodies]) part.setAttribute("role", "rowgroup");
  for (const row of table.rows) {
    row.setAttribute("role", "row");
    for (const cell of row.cells) cell.setAttribute("role", cell.tagName === "TD" ? "cell" : cell.scope === "row" ? "rowheader" : "columnheader");
  }
  return table;
}
