// One tab stop for a whole table: arrows, Home and End go from cell to cell, with Ctrl to the first and last row.
function oneStop(table) {
  table.setAttribute("role", "grid");
  // Said aloud too, since a narrow screen shows rows as blocks.
  for (const row of table.rows) {
    row.setAttribute("role", "row");
    for (const cell of row.cells) cell.setAttribute("role", cell.tagName === "TD" ? "gridcell" : cell.scope === "row" ? "rowheader" : "columnheader");
  }
  const grid = [...table.rows].map((row) => [...row.cells].map((cell) => cell.querySelector("a, button") ?? cell));
  for (const target of grid.flat()) target.tabIndex = -1;
  let stop = grid[0][0];
  stop.tabIndex = 0;
  table.addEventListener("focusin", ({ target }) => {
    if (!grid.some((row) => row.includes(target))) return;
    stop.tabIndex = -1;
    stop = target;
    stop.tabIndex = 0;
  });
  table.addEventListener("keydown", (event) => {
    const row = grid.findIndex((targets) => targets.includes(stop));
    const column = grid[row].indexOf(stop);
    const far = event.ctrlKey || event.metaKey;
    const moves = {
      __proto__: null,
      ArrowUp: [row - 1, column],
      ArrowDown: [row + 1, column],
      ArrowLeft: [row, column - 1],
      ArrowRight: [row, column + 1],
      Home: [far ? 0 : row, 0],
      End: [far ? grid.length - 1 : row, grid[row].length - 1],
    };
    const [toRow, toColumn] = moves[event.key] ?? [];
    if (toRow === undefined || event.altKey) return;
    event.preventDefault();
    grid[toRow]?.[toColumn]?.focus();
  });
  return table;
}
