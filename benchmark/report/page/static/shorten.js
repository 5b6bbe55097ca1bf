// A long list shows its first few on a phone, and the rest when asked; wider screens and paper have all of it.
function shorten(view) {
  for (const list of view.querySelectorAll("table:not(.home) tbody, .panels")) {
    const rest = [...list.children].slice(list.matches(".panels") ? 3 : 10).filter((one) => !one.querySelector(".diamond")); // what is pooled stays
    if (rest.length < 3) continue;
    for (const one of rest) one.classList.add("rest");
    const button = el("button", { type: "button", class: "more" }, `Show ${count(rest.length)} more`);
    button.addEventListener("click", () => {
      for (const one of rest) one.classList.remove("rest");
      button.remove();
      rest[0].querySelector("a, summary, [tabindex]")?.focus();
    });
    (list.closest(".scroll") ?? list).after(button);
  }
}
