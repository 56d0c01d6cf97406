// Lets the visitor see a password. The buttons are hidden until this script has run, so nothing is missing without it.
for (const button of document.querySelectorAll("button[data-shows]")) {
  const field = document.getElementById(button.dataset.shows);
  const show = (shown) => {
    field.type = shown ? "text" : "password";
    button.textContent = shown ? "Hide" : "Show";
    button.setAttribute("aria-label", `${button.textContent} ${button.dataset.label}`);
  };
  button.addEventListener("click", () => show(field.type === "password"));
  // A browser remembers what was typed into a text field, but must not remember a password that way.
  field.form.addEventListener("submit", () => show(false));
  button.hidden = false;
}
