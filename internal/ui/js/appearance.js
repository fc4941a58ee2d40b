// A choice of appearance is seen at once, before it is saved.
document.addEventListener("change", (event) => {
  if (event.target.name === "appearance") document.documentElement.dataset.appearance = event.target.value;
});
