// Tables on a narrow screen, where the style shows each row as a card: it takes the names of the columns from here.
function narrowed(table) {
  const { rows } = table.tHead;
  if (rows.length > 1) { // groups of columns: too many for a card, so the first column stays and the others go by
    table.classList.add("wide");
    return table;
  }
  const names = [...rows[0].cells].map((head) => head.dataset.name ?? head.textContent.trim());
  if (names.length < 3 || table.classList.contains("small")) return table; // fits as it is
  table.classList.add("cards");
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
