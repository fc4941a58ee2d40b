// A form that only leads on to another site sends itself; its button stays for
// when an extension stops that.
addEventListener("DOMContentLoaded", () => {
  document.querySelector("form[data-onward]")?.requestSubmit();
});
