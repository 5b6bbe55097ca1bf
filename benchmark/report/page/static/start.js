// Pages, and what is shown now.
const place = document.getElementById("view");
const tables = document.getElementById("tables");
const pages = document.getElementById("pages");
addView("tables", { title: "All tables", show: () => {} });

function show({ keepFocus = false } = {}) {
  const chosen = choices();
  const focused = keepFocus && document.activeElement?.getAttribute("name");
  const cursor = focused && document.activeElement.selectionStart;
  closeTip();
  place.replaceChildren();
  views[chosen.view].show(place, chosen);
  place.hidden = chosen.view === "tables";
  tables.hidden = chosen.view !== "tables";
  pages.replaceChildren(...Object.entries(views).filter(([, view]) => view.title).map(([name, view]) => {
    const made = link(name, {}, view.title);
    if (name === chosen.view) made.setAttribute("aria-current", "page");
    return made;
  }));
  if (!focused) return;
  const again = place.querySelector(`[name="${CSS.escape(focused)}"]`);
  again?.focus();
  if (again?.type === "search") again.setSelectionRange(cursor, cursor);
}

// A place in the page, such as "#problems", is in the tables.
function follow() {
  if (location.hash && !location.hash.startsWith("#/")) {
    const target = document.getElementById(location.hash.slice(1));
    if (!target || !tables.contains(target)) return;
    place.hidden = true;
    tables.hidden = false;
    target.scrollIntoView();
  } else show();
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
addEventListener("beforeprint", () => {
  for (const details of document.querySelectorAll("#tables:not([hidden]) details, #view details")) details.open = true;
});
show();
follow();
