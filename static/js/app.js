// What neither HTML, CSS nor htmx can do by themselves: the CSRF header, three keys, menus that close, copying a text, and
// saying that an answer is missing.
"use strict";

const silence = () => document.getElementById("no-answer");

document.addEventListener("htmx:configRequest", (event) => {
  const token = document.querySelector("meta[name=csrf-token]");
  if (event.detail.verb !== "get" && token) event.detail.headers["X-CSRFToken"] = token.content;
});

// A refused form comes back as a fragment that says what is wrong: it is shown, whatever its status.
document.addEventListener("htmx:beforeSwap", (event) => {
  if (event.detail.xhr.getResponseHeader("X-Fragment")) {
    event.detail.shouldSwap = true;
    event.detail.isError = false;
  }
});

for (const name of ["htmx:sendError", "htmx:timeout", "htmx:responseError"]) {
  document.addEventListener(name, () => { silence().hidden = false; });
}
document.addEventListener("htmx:afterOnLoad", (event) => {
  if (event.detail.successful) silence().hidden = true;
});

// A menu closes when one goes elsewhere, by pointer or by key; Escape gives the focus back to what opened it.
const openMenus = () => document.querySelectorAll("details:is(.menu, .switcher)[open]");

for (const name of ["pointerdown", "focusin"]) {
  document.addEventListener(name, (event) => {
    for (const menu of openMenus()) if (!menu.contains(event.target)) menu.open = false;
  });
}
document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape" || event.isComposing) return;
  for (const menu of openMenus()) {
    menu.open = false;
    menu.querySelector("summary").focus();
  }
});

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
  if (event.target.closest("input, textarea, select, [contenteditable]")) return;
  if (event.key === "/") {
    const search = document.querySelector("input[type=search]");
    if (!search) return;
    event.preventDefault();
    search.focus();
    search.select();
  } else if (event.key === "?") {
    document.getElementById("help").togglePopover();
  }
});

// A text for another place: marked, so that it can be copied by hand where the browser does not let a page do it.
document.addEventListener("click", async (event) => {
  const button = event.target.closest("button[data-copy]");
  if (!button) return;
  const text = document.getElementById(button.dataset.copy);
  text.select();
  let word = "Copiado.";
  try {
    await navigator.clipboard.writeText(text.value);
  } catch {
    word = "O texto está marcado: copie com Ctrl+C.";
  }
  document.getElementById(`${text.id}-copied`).textContent = word;
});
