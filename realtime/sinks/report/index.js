// The field that finds recordings by a part of their name.

const search = document.getElementById("search"), field = search.querySelector("input");
const items = [...document.querySelectorAll("li")];
search.hidden = items.length < 9;
field.addEventListener("input", () => {
  const wanted = field.value.toLowerCase();
  for (const item of items) item.hidden = !item.dataset.name.toLowerCase().includes(wanted);
});
