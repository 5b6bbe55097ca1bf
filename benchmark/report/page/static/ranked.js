// Tables of rankings: a protocol has ranks of its own, an order that they give, and rules.
const rankings = [...document.querySelectorAll("#ranking .choice")].map((section) => {
  const table = section.querySelector("table");
  const heads = [...table.tHead.rows[0].cells];
  const title = table.querySelector("caption span");
  return {
    board: boardOf(section.dataset.metric, section.dataset.simulated === "true"),
    title,
    ofAll: title.textContent,
    heads,
    rank: heads.findIndex((head) => head.textContent === "Rank"),
    body: table.tBodies[0],
    rows: [...table.tBodies[0].rows], // as those of the board
    list: section.querySelector("ul.rules"),
    rules: [...section.querySelectorAll("ul.rules li")],
  };
});

function rankWithin(protocol, { board, title, ofAll, heads, rank, body, rows, list, rules }) {
  const alone = board.alone[protocol];
  const place = ({ entry }) => (alone ? alone.entries.indexOf(entry) : 0);
  const placed = board.rows.map((row, at) => ({ row, shown: rows[at] })).sort((a, b) => place(a.row) - place(b.row));
  for (const { row, shown } of placed) {
    const own = (alone ? row.alone : row.rank) ?? DASH;
    shown.cells[rank].textContent = own;
    shown.cells[rank].dataset.sort = own;
  }
  body.append(...placed.map(({ shown }) => shown));
  for (const head of heads) head.removeAttribute("aria-sort");
  title.textContent = ofAll + (alone ? `, ${protocol} alone` : "");
  list?.replaceChildren(...(alone ? alone.rules.map((at) => el("li", {}, data.texts[at])) : rules));
}
