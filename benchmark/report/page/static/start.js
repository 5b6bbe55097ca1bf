// Pages, and what is shown now.
const place = document.getElementById("view");
const tables = document.getElementById("tables");
const pages = document.getElementById("pages");
addView("tables", {
  title: "All tables",
  show(place, chosen) {
    const protocol = protocolOf(chosen);
    place.append(...[protocolForm(protocol), onlyProtocol(protocol, "where a table has a row or a column for each; ranks are those within it, p values in other tables are adjusted for the comparisons of all protocols")].filter(Boolean));
    tablesOf(protocol);
  },
});

// Say which page it is. Of simulated recordings each view has its own banner; the tables have the one above all.
function mark(view) {
  pages.replaceChildren(...Object.entries(views).filter(([, { title }]) => title).map(([name, { title }]) => {
    const made = pageLink(name, title);
    if (name === view) made.setAttribute("aria-current", "page");
    return made;
  }), el("a", { href: "#method" }, "Method"));
  const banner = document.querySelector("header .simulated");
  if (banner) banner.hidden = view !== "tables";
}

function show({ keepFocus = false } = {}) {
  const chosen = choices();
  const focused = keepFocus && document.activeElement?.getAttribute("name");
  const cursor = focused && document.activeElement.selectionStart;
  closeTip();
  place.replaceChildren();
  place.hidden = false; // before it is filled: what is hidden has no width
  tables.hidden = chosen.view !== "tables";
  views[chosen.view].show(place, chosen);
  place.hidden = !place.children.length;
  shorten(place);
  fit();
  mark(chosen.view);
  if (!focused) return;
  const again = place.querySelector(`[name="${CSS.escape(focused)}"]`);
  again?.focus();
  if (again?.type === "search") again.setSelectionRange(cursor, cursor);
}

// A place in the page, such as "#problems", is in the tables.
function follow() {
  const target = placeInTables();
  if (location.hash && !location.hash.startsWith("#/") && !target) return;
  show();
  target?.scrollIntoView();
}
document.body.append(tip);
// The link to the content must not take the choices out of the address.
document.querySelector(".skip").addEventListener("click", (event) => {
  event.preventDefault();
  document.querySelector("main").focus();
});
pages.hidden = false;
addEventListener("hashchange", follow);
addEventListener("popstate", () => location.hash.startsWith("#/") && show());
// On paper nothing is folded; afterwards all is as it was.
let opened = [];
addEventListener("beforeprint", () => {
  opened = [...document.querySelectorAll("header details, #tables:not([hidden]) details, #view details")].filter((details) => !details.open);
  for (const details of opened) {
    details.open = true;
    openLater(details); // at once: that it was opened is told after the page is drawn for the printer
  }
});
addEventListener("afterprint", () => {
  for (const details of opened) details.open = false;
});
show();
follow();
