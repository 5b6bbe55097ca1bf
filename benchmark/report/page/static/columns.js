// Numbers as columns.py writes them.

// Rows, one after another: a column that is near another has its differences from that.
function unfolded({ near, columns }) {
  const whole = [];
  for (const [at, column] of columns.entries()) {
    const by = whole[near[at]];
    whole.push(by ? column.map((one, row) => (one === null || by[row] === null ? one : one + by[row])) : column);
  }
  return columns[0].flatMap((_, row) => whole.map((column) => column[row]));
}

// What is told of several cells: place of a cell -> names within names -> numbers.
function ofCells({ cells, parts }) {
  const found = Object.fromEntries(cells.map((place) => [place, Object.create(null)]));
  for (const { path, cells: own, rows, ...columns } of parts) {
    const numbers = unfolded(columns);
    let from = 0;
    for (const [at, one] of own.entries()) {
      const to = from + (rows ? rows[at] : 1) * columns.near.length;
      const within = path.slice(0, -1).reduce((inner, name) => (inner[name] ??= Object.create(null)), found[cells[one]]);
      within[path.at(-1)] = numbers.slice(from, to);
      from = to;
    }
  }
  return found;
}

// JSON of the page: as it is, or deflated and in base64.
async function contentOf(id) {
  const { type, textContent } = document.getElementById(id);
  if (type === "application/json") return JSON.parse(textContent);
  const bytes = Uint8Array.from(atob(textContent), (sign) => sign.charCodeAt(0));
  return new Response(new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"))).json();
}
